//! The lines that are typed.
//!
//! They run in the container's own shell, whichever it is, so they are POSIX and use what busybox has as well. What
//! they print is parted by markers that hold a [`Nonce`]; each marker is put together by `printf`, so that the echo of
//! a line never looks like its answer.

use std::time::Duration;

use super::nonce::Nonce;

/// Starts the line server: a loop in a shell of our own that runs each line that begins with the nonce and refuses all
/// others, without echo, prompt, history and line editing.
///
/// A person who interrupts it gets their shell and the modes of their terminal back.
///
/// It says whether the session is ours: then the shell around it leads its session and is younger than our
/// connection, and it ends together with the loop. Somebody else's shell is left as it was. The ages are compared by
/// the start times of two processes, since a container may not see the host's clock. After 25 s without a line the
/// loop ends by itself, so that a cut connection leaves nothing behind: most shells have a time limit for `read`, and
/// dash, which has none, takes the terminal's, of which busybox knows nothing.
pub(super) fn bootstrap(nonce: Nonce, connected_for: Duration) -> Vec<u8> {
    // The clock of processes ticks every 1/100 s. The margin covers slow networks and nodes; a shell that somebody
    // else has just opened is seen by its task before.
    let oldest = connected_for.as_millis() / 10 + 100;
    let server = format!(
        "g=$(stty -g);trap \"stty $g;exit 130\" 2;stty -echo -icanon min 0 time 255;\
         f(){{ r=$(cat /proc/$1/stat);set -- ${{r##*) }};echo $4 ${{20}};}};set -- $(f $PPID) $(f self);\
         o=0;[ $1 = $PPID ]&&[ $(($4-$2)) -lt {oldest} ]&&o=77;k={nonce};\
         t=;(read -t 9 l </dev/null)2>/dev/null;[ $? = 1 ]&&t=\"-t 25\";\
         printf \"\\nR_%s_%s_%s_%s\\n\" $k $o $(($4-$2)) $(id -u);\
         while IFS= read -r $t l;do case $l in \"$k Q\")break;;\"$k \"*)sh -c \"${{l#* }}\";;?*)printf \"\\nX_%s\\n\" $k;;esac;done;\
         stty $g;exit $o"
    );
    typed(&format!(" sh -c '{server}';[ $? = 77 ]&&{{ unset HISTFILE;exit;}}\r"))
}

/// A command for the line server, and its end marker. Should somebody have ended the line server, their own shell looks
/// for a program with the name of the nonce, finds none, and runs nothing of it.
pub(super) fn command(nonce: Nonce, command: &str, number: u32) -> Vec<u8> {
    let end = end_of(nonce, number);
    let line = quoted(&format!("{command}; printf \"\\n%s_%s\\n\" {end} $?"));
    typed(&format!("{nonce} eval {line}\n"))
}

/// The word before the exit code of a command.
pub(super) fn end_of(nonce: Nonce, number: u32) -> String {
    format!("E{nonce}_{number}")
}

/// A command that does and says nothing, for the line server's patience.
pub(super) fn keep_alive(nonce: Nonce) -> Vec<u8> {
    typed(&format!("{nonce} :\n"))
}

/// Ends the line server and the session, but not before we have seen that it will and closed the connection: PVE notes
/// a console as failed when its program ends first.
pub(super) fn leave_own(nonce: Nonce) -> Vec<u8> {
    typed(&format!("{nonce} eval 'echo BYE_{nonce}; sleep 1'\n{nonce} Q\n"))
}

/// Ends the line server and gives the shell back to whom it belongs.
pub(super) fn leave_foreign(nonce: Nonce) -> Vec<u8> {
    typed(&format!("{nonce} Q\n"))
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Somebody's command in a shell of its own, so that neither its `exit` nor its mistakes reach ours.
pub(super) fn foreign_command(command: &str) -> String {
    format!("HOME=/root sh -c {} </dev/null", quoted(command))
}

/// Receives base64 of a length that follows the marker `G_`, as a file that only root can read; prints its SHA-256.
/// Whatever the file system says, all that follows is read, so that none of it is taken for the next line.
pub(super) fn receive(nonce: Nonce, path: &str, length: usize) -> String {
    let path = quoted(path);
    format!(
        "umask 077;true >{path}&&{{ printf \"\\nG_%s\\n\" {nonce};\
         head -c {length}|{{ base64 -d >{path}||cat >/dev/null;}};sha256sum <{path};}}"
    )
}

/// Prints the size of a file and, unless it is larger than a limit, its SHA-256 and its content in base64.
pub(super) fn send_back(path: &str, limit: usize) -> String {
    let path = quoted(path);
    format!("n=$(wc -c <{path})&&echo $n&&[ $n -le {limit} ]&&sha256sum <{path}&&base64 <{path}")
}

/// A message to the terminal program of PVE: input for the terminal, counted in bytes (pve-xtermjs, termproxy).
pub(super) fn typed(text: &str) -> Vec<u8> {
    input(text.as_bytes())
}

/// The same for bytes.
pub(super) fn input(bytes: &[u8]) -> Vec<u8> {
    let mut message = format!("0:{}:", bytes.len()).into_bytes();
    message.extend_from_slice(bytes);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_survive() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn length_counts_bytes() {
        assert_eq!(typed("é\r"), "0:3:é\r".as_bytes());
    }
}
