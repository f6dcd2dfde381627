//! Faults by name, as a client meets them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{Asker, Bench, until};
use proxmox_sim::{ClusterSpec, Scenario};

fn bench() -> Bench {
    Bench::start(Scenario::Custom(vec![
        ClusterSpec::new("lab", "Lab").nodes(["pve1", "pve2"]),
    ]))
}

fn set(bench: &Bench, words: &str) {
    bench.sim.ctl(&format!("fault set --cluster lab {words}")).expect("set");
}

/// Everything that comes back for `GET /version`.
fn bytes(asker: &Asker) -> Vec<u8> {
    let mut stream = asker.connect();
    stream
        .write_all(
            asker
                .request("GET", "/api2/json/version", "Connection: close\r\n", "")
                .as_bytes(),
        )
        .expect("sent");
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all));
    all
}

#[test]
fn wrong_answers_look_right_at_first() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    for (name, length) in [
        ("garbage", 36),
        ("truncated", 53),
        ("types", 86),
        ("empty", 0),
        ("big --arg 3000000", 2_999_972),
    ] {
        set(&bench, &format!("--name {name}"));
        let answer = asker.ask("GET", "/version", "");
        assert_eq!(answer.status_line, "HTTP/1.1 200 OK", "{name}");
        assert!(
            answer.body.len().abs_diff(length) < 100,
            "{name}: {} bytes",
            answer.body.len()
        );
        bench.sim.ctl("fault clear --cluster lab").expect("cleared");
    }
    assert!(
        asker.ask("GET", "/version", "").json()["data"]["version"].is_string(),
        "it is well again"
    );
}

#[test]
fn answers_with_the_status_of_a_failure() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    for (name, status_line, length) in [
        ("unreachable", "HTTP/1.1 595 No route to host", 0),
        ("timeout", "HTTP/1.1 596 Connection timed out", 0),
        (
            "fails",
            "HTTP/1.1 500 failed to read from command socket: Connection reset by peer",
            88,
        ),
    ] {
        set(&bench, &format!("--name {name}"));
        let answer = asker.ask("GET", "/version", "");
        assert_eq!(
            (answer.status_line.as_str(), answer.body.len()),
            (status_line, length),
            "{name}"
        );
        bench.sim.ctl("fault clear --cluster lab").expect("cleared");
    }
}

#[test]
fn a_skewed_clock_shows_in_the_date_of_answers() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    let date = || asker.ask("GET", "/version", "").header("Date").map(str::to_owned);
    assert_eq!(date().as_deref(), Some("Sat, 21 Nov 2026 03:33:20 GMT"));
    set(&bench, "--name skew --arg -120");
    assert_eq!(date().as_deref(), Some("Sat, 21 Nov 2026 03:31:20 GMT"));
}

#[test]
fn an_endless_answer_goes_on() {
    let bench = bench();
    set(&bench, "--name endless");
    let asker = bench.ask(0, 0);
    let mut stream = asker.connect();
    let request = asker.request("GET", "/api2/json/version", "", "");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut much = vec![0; 1 << 20];
    stream.read_exact(&mut much).expect("more than any call answers");
}

#[test]
fn answers_break_off() {
    let bench = bench();
    let asker = bench.ask(0, 0);
    set(&bench, "--name reset");
    let all = bytes(&asker);
    let answer = Raw::parse(&all);
    assert_eq!((answer.status(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("Content-Length"), Some("72"), "more was promised");
    bench.sim.ctl("fault clear --cluster lab").expect("cleared");
    set(&bench, "--name half");
    assert_eq!(Raw::parse(&bytes(&asker)).body.len(), 36);
}

use crate::client::Raw;

#[test]
fn a_fault_of_one_node_is_not_one_of_the_other() {
    let bench = bench();
    let (first, second) = (bench.ask(0, 0), bench.ask(0, 1));
    set(&bench, "--node pve1 --name refuse");
    until("the listener closes", || TcpStream::connect(&first.address).is_err());
    assert_eq!(second.ask("GET", "/version", "").status(), 200);
    bench.sim.ctl("fault clear --cluster lab --node pve1").expect("cleared");
    until("the listener opens", || TcpStream::connect(&first.address).is_ok());
    assert!(
        bench
            .sim
            .ctl("fault set --cluster lab --node pve9 --name slow")
            .is_err(),
        "no such node"
    );
}

#[test]
fn a_slow_node_answers_in_the_end() {
    let bench = bench();
    set(&bench, "--name slow --arg 80");
    let asked = Instant::now();
    assert_eq!(bench.ask(0, 0).ask("GET", "/version", "").status(), 200);
    assert!(asked.elapsed() >= Duration::from_millis(80));
    let unknown = bench
        .sim
        .ctl("fault set --cluster lab --name sleepy")
        .expect_err("there is no such fault");
    assert!(
        unknown.to_string().contains("garbage"),
        "it says what there is: {unknown}"
    );
}

#[test]
fn a_renewed_certificate_is_presented_and_listed() {
    let bench = bench();
    let fingerprint = |asker: &Asker| {
        asker.get("/nodes")[0]["ssl_fingerprint"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let old = fingerprint(&bench.ask(0, 1));
    assert_eq!(old, bench.sim.clusters()[0].fingerprint);
    let renewed = bench.sim.ctl("cert renew --cluster lab --node pve1").expect("renewed");
    let new = fingerprint(&bench.ask(0, 1));
    assert_eq!(renewed["fingerprint"], new.as_str());
    assert_ne!(old, new);
    let mut stream = bench.ask(0, 0).connect();
    while stream.conn.is_handshaking() {
        stream
            .conn
            .complete_io(&mut stream.sock)
            .expect("the same authority signed it");
    }
    let presented = &stream.conn.peer_certificates().expect("a certificate")[0];
    use sha2::Digest;
    let hex: Vec<String> = sha2::Sha256::digest(presented)
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    assert_eq!(hex.join(":"), new);
}
