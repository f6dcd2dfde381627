//! A container's console: with a token or a user's ticket, as the client calls.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use proxmox_client::{Client, Session};

use super::{Obstacle, Ran, Shell};

/// What fits into one line of a console in base64, with room for what stands around it.
const ONE_LINE: usize = 11 * 1024;

struct Console(Session);

/// Opens it, unless a person or another program is there.
pub(super) async fn open(client: &Client, node: &str, vmid: u32) -> Result<Box<dyn Shell>, Obstacle> {
    Ok(Box::new(Console(client.lxc_console(node, vmid).await?)))
}

impl Console {
    /// As one line, which needs no file in the guest that could stay behind.
    async fn line(&mut self, script: &str, within: Duration) -> Result<Ran, Obstacle> {
        let line = format!("sh -c \"$(printf %s {}|base64 -d)\"", BASE64.encode(script));
        let printed = self.0.run(&line, within).await?;
        Ok(Ran {
            exit: printed.exit,
            output: printed.text,
        })
    }

    async fn file(&mut self, script: &str, within: Duration) -> Result<Ran, Obstacle> {
        let mut output = self.0.run_script(script.as_bytes(), within).await?;
        output.stdout.append(&mut output.stderr);
        Ok(Ran {
            exit: output.exit,
            output: output.stdout,
        })
    }
}

impl Shell for Console {
    fn run<'a>(&'a mut self, script: &'a str, within: Duration) -> BoxFuture<'a, Result<Ran, Obstacle>> {
        async move {
            match script.len() <= ONE_LINE {
                true => self.line(script, within).await,
                false => self.file(script, within).await,
            }
        }
        .boxed()
    }

    fn put<'a>(&'a mut self, path: &'a str, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), Obstacle>> {
        async move { Ok(self.0.upload(path, bytes).await?) }.boxed()
    }

    fn leave(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.0.leave().boxed()
    }
}
