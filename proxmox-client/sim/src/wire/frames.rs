//! WebSocket frames as pveproxy reads and writes them (PVE/APIServer/AnyEvent.pm): strictly, and without a farewell.

use std::io::Cursor;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The largest payload that is read.
const LARGEST_READ: u64 = 128 << 10;
/// The largest payload that is written.
const LARGEST_WRITTEN: usize = 64 << 10;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Text or binary: there is no difference.
    Data(Vec<u8>),
    /// To be answered with the same bytes.
    Ping(Vec<u8>),
    Pong,
}

/// The client's side of a connection.
pub(super) struct Ear<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
}

/// The other side.
pub(super) struct Mouth<S>(WriteHalf<S>);

/// Takes a connection that was upgraded.
pub(super) fn open<S: AsyncRead + AsyncWrite>(stream: S) -> (Ear<S>, Mouth<S>) {
    let (reading, writing) = split(stream);
    let buffer = BytesMut::new();
    let ear = Ear {
        stream: reading,
        buffer,
    };
    (ear, Mouth(writing))
}

impl<S: AsyncRead + AsyncWrite> Ear<S> {
    /// The next frame. Nothing when the client has gone or said that it goes, or sent what pveproxy does not take.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.take() {
                Taken::Frame(frame) => return Some(frame),
                Taken::End => return None,
                Taken::Part => {}
            }
            if !matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..)) {
                return None;
            }
        }
    }

    fn take(&mut self) -> Taken {
        let mut cursor = Cursor::new(&self.buffer);
        let (header, length) = match FrameHeader::parse(&mut cursor) {
            Ok(Some(read)) => read,
            Ok(None) => return Taken::Part,
            Err(_) => return Taken::End,
        };
        let begin = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
        let is_plain = header.is_final && !header.rsv1 && !header.rsv2 && !header.rsv3;
        let Some(mask) = header.mask.filter(|_| is_plain && length <= LARGEST_READ) else {
            return Taken::End;
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if self.buffer.len() < begin + length {
            return Taken::Part;
        }
        self.buffer.advance(begin);
        let masked = self.buffer.split_to(length);
        let payload = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        match header.opcode {
            OpCode::Data(Data::Text | Data::Binary) => Taken::Frame(Frame::Data(payload.collect())),
            OpCode::Control(Control::Ping) => Taken::Frame(Frame::Ping(payload.collect())),
            OpCode::Control(Control::Pong) => Taken::Frame(Frame::Pong),
            _ => Taken::End,
        }
    }
}

enum Taken {
    Frame(Frame),
    /// More has to come first.
    Part,
    End,
}

impl<S: AsyncRead + AsyncWrite> Mouth<S> {
    /// Sends bytes in binary frames. False if the client has gone.
    pub(super) async fn say(&mut self, bytes: &[u8]) -> bool {
        for part in bytes.chunks(LARGEST_WRITTEN) {
            if !self.send(OpCode::Data(Data::Binary), part).await {
                return false;
            }
        }
        true
    }

    /// Answers a ping.
    pub(super) async fn pong(&mut self, bytes: &[u8]) -> bool {
        self.send(OpCode::Control(Control::Pong), bytes).await
    }

    async fn send(&mut self, opcode: OpCode, payload: &[u8]) -> bool {
        let header = FrameHeader {
            opcode,
            ..FrameHeader::default()
        };
        let mut frame = Vec::with_capacity(payload.len() + 10);
        if header.format(payload.len() as u64, &mut frame).is_err() {
            return false;
        }
        frame.extend_from_slice(payload);
        self.0.write_all(&frame).await.is_ok() && self.0.flush().await.is_ok()
    }
}
