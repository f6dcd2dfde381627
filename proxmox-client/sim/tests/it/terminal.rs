//! A client of a console: the WebSocket and the terminal program's messages, without knowledge of the simulator.

use std::net::TcpStream;
use std::time::Instant;

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

use crate::client::{Asker, DEADLINE, Raw};

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a node answers who asks for a console.
pub(crate) struct Granted {
    pub(crate) user: String,
    pub(crate) ticket: String,
    pub(crate) port: String,
    pub(crate) upid: String,
}

/// Asks for the console of a container.
pub(crate) fn ask(asker: &Asker, node: &str, vmid: u32) -> Granted {
    let answer = asker.ask("POST", &format!("/nodes/{node}/lxc/{vmid}/termproxy"), "");
    assert_eq!(answer.status(), 200, "{}", answer.status_line);
    granted(&answer.data())
}

pub(crate) fn granted(data: &Value) -> Granted {
    let text = |key: &str| data[key].as_str().expect("text").to_owned();
    Granted {
        user: text("user"),
        ticket: text("ticket"),
        port: text("port"),
        upid: text("upid"),
    }
}

/// The path of the WebSocket.
pub(crate) fn path(node: &str, vmid: u32, port: &str, ticket: &str) -> String {
    let ticket = ticket.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("/nodes/{node}/lxc/{vmid}/vncwebsocket?port={port}&vncticket={ticket}")
}

pub(crate) const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Asks for an upgrade: the answer, or nothing if the connection just ends.
pub(crate) fn upgrade(asker: &Asker, path: &str, headers: &str) -> (Option<Raw>, Stream) {
    use std::io::{Read, Write};
    let mut stream = asker.connect();
    let request = asker.request("GET", &format!("/api2/json{path}"), headers, "");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let (mut head, mut one) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut one), Ok(1)) {
        head.push(one[0]);
    }
    let answer = head.ends_with(b"\r\n\r\n").then(|| Raw::parse(&head));
    (answer, stream)
}

/// An open console.
pub(crate) struct Terminal {
    socket: WebSocket<Stream>,
    /// What was shown and not yet looked for.
    pub(crate) screen: String,
    pub(crate) upid: String,
}

impl Terminal {
    /// Opens the console of a container and says the login line.
    pub(crate) fn open(asker: &Asker, node: &str, vmid: u32) -> Terminal {
        let granted = ask(asker, node, vmid);
        let line = format!("{}:{}\n", granted.user, granted.ticket);
        let mut terminal = Terminal::connect(asker, node, vmid, &granted);
        terminal.send(&line);
        terminal
    }

    /// Opens it and sees the `OK`.
    pub(crate) fn enter(asker: &Asker, node: &str, vmid: u32) -> Terminal {
        let mut terminal = Terminal::open(asker, node, vmid);
        terminal.sees("OK");
        terminal
    }

    pub(crate) fn connect(asker: &Asker, node: &str, vmid: u32, granted: &Granted) -> Terminal {
        let path = path(node, vmid, &granted.port, &granted.ticket);
        let (answer, stream) = upgrade(asker, &path, &format!("{UPGRADE}Sec-WebSocket-Protocol: binary\r\n"));
        assert_eq!(answer.expect("an answer").status(), 101);
        Terminal {
            socket: WebSocket::from_raw_socket(stream, Role::Client, None),
            screen: String::new(),
            upid: granted.upid.clone(),
        }
    }

    /// Sends a frame. It may be that nobody listens any more.
    pub(crate) fn send(&mut self, text: &str) {
        drop(self.socket.send(Message::binary(text.as_bytes().to_vec())));
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.send(&format!("0:{}:{keys}", keys.len()));
    }

    /// Looks until the screen shows something, and forgets it with what was before; that is returned.
    pub(crate) fn sees(&mut self, text: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.screen.find(text) {
                let after = self.screen.split_off(at + text.len());
                let before = std::mem::replace(&mut self.screen, after);
                return before[..at].to_owned();
            }
            assert!(Instant::now() < end, "no {text:?} in {:?}", self.screen);
            assert!(self.hears(), "it ended without {text:?}: {:?}", self.screen);
        }
    }

    /// Looks until the connection ends, which it does without a farewell.
    pub(crate) fn sees_the_end(&mut self) -> String {
        while self.hears() {}
        std::mem::take(&mut self.screen)
    }

    fn hears(&mut self) -> bool {
        match self.socket.read() {
            Ok(Message::Binary(bytes)) => self.screen.push_str(&String::from_utf8_lossy(&bytes)),
            Ok(Message::Pong(_)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("nothing more comes: {:?}", self.screen)
            }
            Err(_) => return false,
        }
        true
    }

    /// Breaks the connection off.
    pub(crate) fn cut(self) {
        drop(self.socket.into_inner().sock.shutdown(std::net::Shutdown::Both));
    }

    /// Any frame, as it is.
    pub(crate) fn raw(&mut self) -> &mut Stream {
        self.socket.get_mut()
    }

    pub(crate) fn ping(&mut self) {
        self.socket
            .send(Message::Ping(b"there?".to_vec().into()))
            .expect("sent");
    }
}
