#![doc = include_str!("../README.md")]

mod answer;
mod calls;
pub mod catalogue;
mod client;
mod clocks;
mod console;
mod endpoint;
mod error;
mod exchange;
mod fingerprint;
mod gate;
mod login;
mod output;
mod perl;
mod probe;
mod routes;
mod token;
mod trust;
mod upid;

pub use calls::*;
pub use client::{Client, ClientBuilder};
pub use clocks::ClockReading;
pub use console::{ConsoleError, Job, Printed, Session};
pub use endpoint::Endpoint;
pub use error::{Error, Result};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use gate::Limits;
pub use login::Login;
pub use output::Output;
pub use probe::{PresentedCertificate, probe};
pub use token::ApiToken;
pub use trust::Trust;
pub use upid::Upid;
