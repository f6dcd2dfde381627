//! HTTP as pveproxy speaks it, beyond single answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use proxmox_sim::{GuestSpec, Options, Os, Scenario, Timing};
use serde_json::json;

use crate::client::{Asker, Bench, DEADLINE, Raw, one_node, two_nodes};

/// Reads one answer with a length from a connection that stays open; `None` at its end.
fn read_answer(stream: &mut impl Read) -> Option<Raw> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut one).ok()? == 0 {
            return None;
        }
        bytes.push(one[0]);
    }
    let length = Raw::parse(&bytes)
        .header("Content-Length")
        .expect("a length")
        .parse()
        .expect("a number");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Raw::parse(&[bytes, body].concat()))
}

fn get(asker: &Asker, path: &str) -> String {
    asker.request("GET", &format!("/api2/json{path}"), "", "")
}

#[test]
fn a_connection_carries_a_hundred_requests() {
    let bench = Bench::start(one_node(vec![]));
    let asker = bench.ask(0, 0);
    let mut stream = asker.connect();
    for number in 1..=100 {
        stream.write_all(get(&asker, "/version").as_bytes()).expect("sent");
        let answer = read_answer(&mut stream).expect("answered");
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.header("Connection"),
            (number == 100).then_some("close"),
            "request {number}"
        );
    }
    assert!(read_answer(&mut stream).is_none(), "the connection has ended");
}

#[test]
fn every_error_ends_the_connection() {
    let bench = Bench::start(one_node(vec![]));
    let asker = bench.ask(0, 0);
    let mut stream = asker.connect();
    stream.write_all(get(&asker, "/nosuch").as_bytes()).expect("sent");
    let answer = read_answer(&mut stream).expect("answered");
    assert_eq!((answer.status(), answer.header("Connection")), (501, Some("close")));
    assert!(read_answer(&mut stream).is_none(), "the connection has ended");
}

#[test]
fn an_idle_connection_ends() {
    let timing = Timing {
        idle: Duration::from_millis(50),
        ..Timing::default()
    };
    let bench = Bench::with(Options {
        scenario: one_node(vec![]),
        timing,
        ..Options::default()
    });
    let asker = bench.ask(0, 0);
    let mut stream = asker.connect();
    stream.write_all(get(&asker, "/version").as_bytes()).expect("sent");
    assert!(read_answer(&mut stream).is_some());
    assert!(read_answer(&mut stream).is_none(), "nobody asks any more");
}

#[test]
fn bodies_come_only_where_they_belong() {
    let bench = Bench::start(one_node(vec![GuestSpec::lxc(100, "a", "pve1", Os::Debian)]));
    let asker = bench.ask(0, 0);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let on_get = asker.send("GET", "/api2/json/version", form, "a=b");
    assert_eq!(on_get.status_line, "HTTP/1.1 501 Unexpected content for method 'GET'");
    let on_delete = asker.send("DELETE", "/api2/json/version", form, "a=b");
    assert_eq!(
        on_delete.status_line,
        "HTTP/1.1 501 Unexpected content for method 'DELETE'"
    );
    let chunked = asker.send("POST", "/api2/json/version", "Transfer-Encoding: chunked\r\n", "");
    assert_eq!(
        chunked.status_line,
        "HTTP/1.1 501 chunked transfer encoding not supported"
    );
    let large = asker.send(
        "POST",
        "/api2/json/version",
        &format!("{form}Content-Length: 524289\r\n"),
        "",
    );
    assert_eq!(large.status_line, "HTTP/1.1 501 for data too large");
}

#[test]
fn json_bodies_and_queries_are_parameters() {
    let bench = Bench::start(one_node(vec![GuestSpec::lxc(100, "a", "pve1", Os::Debian)]));
    let asker = bench.ask(0, 0);
    bench.sim.ctl("guest stop --cluster lab --vmid 100").expect("stopped");
    let config = "/api2/json/nodes/pve1/lxc/100/config";
    let json = "Content-Type: application/json\r\n";
    let set = asker.send("PUT", config, json, r#"{"description":"by JSON","onboot":false}"#);
    assert_eq!(set.status(), 200, "{}", set.status_line);
    let shown = asker.get("/nodes/pve1/lxc/100/config");
    assert_eq!(
        (&shown["description"], &shown["onboot"]),
        (&json!("by JSON\n"), &json!(0))
    );
    let both = asker.send(
        "PUT",
        &format!("{config}?description=query"),
        json,
        r#"{"description":"body"}"#,
    );
    assert_eq!(both.status(), 200);
    assert_eq!(asker.get("/nodes/pve1/lxc/100/config")["description"], json!("query\n"));
}

#[test]
fn plain_http_is_sent_to_the_encrypted_port() {
    let bench = Bench::start(one_node(vec![]));
    let address = bench.ask(0, 0).address;
    for (method, status) in [("GET", 301), ("POST", 308)] {
        let mut stream = TcpStream::connect(&address).expect("listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("set");
        write!(stream, "{method} /x HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        let answer = Raw::parse(&answer);
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("Location"), Some(format!("https://{address}/x").as_str()));
    }
}

#[test]
fn large_answers_are_compressed_on_request() {
    let guests = (100..140)
        .map(|vmid| GuestSpec::lxc(vmid, "a", "pve1", Os::Debian))
        .collect();
    let bench = Bench::start(one_node(guests));
    let asker = bench.ask(0, 0);
    let gzip = "Accept-Encoding: gzip\r\n";
    let compressed = asker.send("GET", "/api2/json/cluster/resources", gzip, "");
    assert_eq!(compressed.header("Content-Encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&compressed.body[..])
        .read_to_string(&mut text)
        .expect("it is gzip");
    assert!(text.starts_with(r#"{"data":["#));
    assert_eq!(
        asker
            .send("GET", "/api2/json/version", gzip, "")
            .header("Content-Encoding"),
        None,
        "too small"
    );
    assert_eq!(
        asker
            .send("GET", "/api2/json/cluster/resources", "", "")
            .header("Content-Encoding"),
        None,
        "not asked"
    );
}

#[test]
fn checks_come_in_pveproxys_order() {
    let bench = Bench::start(two_nodes(vec![]));
    let asker = bench.ask(0, 0);
    let (id, secret) = bench.token("nobody@pve!none", "/", "");
    let nobody = asker.with_token(&id, &secret);
    bench.sim.ctl("node stop --cluster lab --node pve2").expect("stopped");
    let status = |asker: &Asker, method: &str, path: &str| asker.ask(method, path, "").status();
    assert_eq!(
        status(&asker.anonymous(), "GET", "/nosuch"),
        401,
        "who calls comes before what is called"
    );
    assert_eq!(
        status(&nobody, "GET", "/nodes/pve2/nosuch"),
        501,
        "what is called comes before who may"
    );
    assert_eq!(
        status(&nobody, "GET", "/nodes/pve2/lxc/1/config"),
        403,
        "who may comes before the other node"
    );
    assert_eq!(
        status(&asker, "GET", "/nodes/pve2/lxc/1/config"),
        595,
        "the other node comes before parameters"
    );
    assert_eq!(
        status(&asker, "GET", "/nodes/pve1/lxc/1/config"),
        400,
        "parameters come before the code"
    );
    assert_eq!(status(&asker, "GET", "/nodes/pve1/lxc/999/config"), 500);
}

#[test]
fn a_real_call_without_an_answer_is_no_501() {
    let bench = Bench::start(one_node(vec![]));
    let answer = bench.ask(0, 0).ask("GET", "/cluster/firewall/rules", "");
    assert_eq!(answer.status(), 500);
    assert_eq!(bench.sim.not_modelled(), ["GET /cluster/firewall/rules"]);
}

#[test]
fn the_certificate_names_the_node_and_its_address() {
    // The client checks the chain and the address; a wrong name would end the handshake.
    let bench = Bench::start(Scenario::Homelab);
    for cluster in 0..3 {
        assert_eq!(bench.ask(cluster, 0).ask("GET", "/version", "").status(), 200);
    }
    let foreign = Asker::of(&bench.sim.clusters()[1], 0);
    let mut foreign = foreign.at(bench.ask(0, 0).address).connect();
    assert!(
        foreign.write_all(b"GET").and_then(|()| foreign.read(&mut [0])).is_err(),
        "another cluster's authority"
    );
}
