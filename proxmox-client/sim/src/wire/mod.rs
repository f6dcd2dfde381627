//! The network side: TLS listeners with the nodes' own certificates, and HTTP as pveproxy speaks it.

mod answer;
mod connection;
mod door;
mod exchange;
mod frames;
mod keys;
mod login;
mod params;
mod pki;
mod termproxy;
mod upgrade;

pub(crate) use answer::{Answer, Break};
pub(crate) use door::{Door, bind_all};
pub(crate) use pki::Pki;
