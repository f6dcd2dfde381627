//! What a client of a terminal program sends: `0:<length>:<bytes>` are keys, `1:<columns>:<rows>:` is a size, `2` keeps
//! the connection alive (pve-xtermjs, termproxy).

/// How much the terminal program reads at once.
const READ: usize = 4096;

/// Something a client wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Press(Vec<u8>),
    Resize { columns: u16, rows: u16 },
}

/// Reads the messages, which may be cut anywhere but in their head.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// How many bytes of the current message are still to come.
    left: usize,
}

impl Keys {
    /// Reads what came in one frame.
    pub(super) fn read(&mut self, frame: &[u8]) -> Vec<Wish> {
        frame.chunks(READ).flat_map(|read| self.read_once(read)).collect()
    }

    /// A head that is cut at the end of what was read is lost, and what follows is misunderstood, as in the original.
    fn read_once(&mut self, mut read: &[u8]) -> Vec<Wish> {
        let mut wishes = Vec::new();
        while let Some(first) = read.first() {
            if self.left > 0 {
                let (keys, rest) = read.split_at(self.left.min(read.len()));
                self.left -= keys.len();
                wishes.push(Wish::Press(keys.to_vec()));
                read = rest;
                continue;
            }
            let head = match first {
                b'0' => numbers::<1>(read).map(|([length], used)| (Head::Keys(length), used)),
                b'1' => numbers::<2>(read).map(|(size, used)| (Head::Size(size), used)),
                _ => Some((Head::Nothing, 1)),
            };
            let (head, used) = head.unwrap_or((Head::Nothing, 2.min(read.len())));
            match head {
                Head::Keys(length) => self.left = length,
                Head::Size(size) => {
                    let [columns, rows] = size.map(|number| u16::try_from(number).unwrap_or(u16::MAX));
                    wishes.push(Wish::Resize { columns, rows });
                }
                Head::Nothing => {}
            }
            read = &read[used..];
        }
        wishes
    }
}

enum Head {
    Keys(usize),
    Size([usize; 2]),
    /// A `2`, or something misunderstood.
    Nothing,
}

/// The numbers of `0:12:` or `1:80:24:`, and how many bytes they took.
fn numbers<const N: usize>(read: &[u8]) -> Option<([usize; N], usize)> {
    let mut found = [0; N];
    let mut used = 2;
    for number in &mut found {
        let rest = read.get(used..)?;
        let length = rest.iter().position(|byte| *byte == b':')?;
        *number = std::str::from_utf8(&rest[..length]).ok()?.parse().ok()?;
        used += length + 1;
    }
    Some((found, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keys: &str) -> Wish {
        Wish::Press(keys.as_bytes().to_vec())
    }

    #[test]
    fn messages_may_share_a_frame_or_span_several() {
        let mut keys = Keys::default();
        let size = Wish::Resize { columns: 120, rows: 40 };
        assert_eq!(
            keys.read(b"1:120:40:20:3:id\n0:6:ab"),
            [size, press("id\n"), press("ab")]
        );
        assert_eq!(keys.read(b"cdef0:1:\r"), [press("cdef"), press("\r")]);
        assert_eq!(keys.read(b"2"), []);
    }

    #[test]
    fn a_head_that_is_cut_is_lost() {
        let mut keys = Keys::default();
        let long = "x".repeat(READ - 9);
        // The second head begins two bytes before the end of what is read at once.
        let frame = format!("0:{}:{long}0:5:hello0:2:ok", long.len());
        assert_eq!(keys.read(frame.as_bytes()), [press(&long), press("ok")]);
        let mut keys = Keys::default();
        assert_eq!(keys.read(b"0:1"), []);
        assert_eq!(
            keys.read(b":x0:2:ok"),
            [press("ok")],
            "the rest of the head and its message are not understood"
        );
    }
}
