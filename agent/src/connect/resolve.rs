//! Names to addresses: /etc/hosts first, then the name servers of /etc/resolv.conf, read anew each time because DHCP
//! changes them.

use std::net::IpAddr;

use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};

/// The addresses of a name, IPv4 first; the error is a sentence.
pub(super) async fn addresses(name: &str) -> Result<Vec<IpAddr>, String> {
    let found = resolver()?
        .lookup_ip(name)
        .await
        .map_err(|error| match error.is_no_records_found() {
            true => format!("the name {name} is unknown"),
            false => format!("no name server tells where {name} is: {error}"),
        })?;
    let mut addresses: Vec<IpAddr> = found.iter().collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    Ok(addresses)
}

fn resolver() -> Result<TokioResolver, String> {
    // A guest without resolv.conf still has /etc/hosts.
    let builder = Resolver::builder_tokio()
        .unwrap_or_else(|_| Resolver::builder_with_config(ResolverConfig::default(), TokioRuntimeProvider::default()));
    let mut builder = builder;
    builder.options_mut().cache_size = 0;
    builder
        .build()
        .map_err(|error| format!("the name servers of /etc/resolv.conf cannot be used: {error}"))
}
