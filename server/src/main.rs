//! The command line of the Muster server.

fn main() {}
