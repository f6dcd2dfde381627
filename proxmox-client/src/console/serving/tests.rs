use super::*;

fn serving(own: bool) -> Serving {
    let opened = Opened {
        own,
        prompt: b"root@web1:/#".to_vec(),
    };
    Serving::new(Nonce::new(0xab), opened, Duration::ZERO)
}

fn running(payload: Option<&[u8]>) -> Serving {
    let mut serving = serving(true);
    let command = Command {
        line: "true".to_owned(),
        payload: payload.map(<[u8]>::to_vec),
        within: Duration::from_secs(60),
        limit: 1000,
    };
    assert!(matches!(serving.run(command, Duration::ZERO), Reaction::Send(_)));
    serving
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn said(reaction: Reaction) -> String {
    match reaction {
        Reaction::Send(message) => String::from_utf8(message).expect("a text"),
        other => panic!("nothing to send: {other:?}"),
    }
}

#[test]
fn a_resting_session_is_kept_alive() {
    let mut serving = serving(true);
    assert_eq!(serving.wake(), Some(secs(10)));
    assert_eq!(serving.tick(secs(9)), Reaction::Wait);
    assert_eq!(said(serving.tick(secs(10))), "0:11:000000ab :\n");
    assert_eq!(said(serving.tick(secs(20))), "0:11:000000ab :\n");
    assert_eq!(running(None).tick(secs(10)), Reaction::Wait);
}

#[test]
fn bytes_are_sent_once_they_are_wanted() {
    let mut serving = running(Some(b"QUJD"));
    assert_eq!(serving.heard(b"\r\r\nG_0000", secs(1)), Reaction::Wait);
    assert_eq!(said(serving.heard(b"00ab\r\r\n", secs(1))), "0:4:QUJD");
    assert_eq!(serving.heard(b"hash  -\r\r\n", secs(1)), Reaction::Wait);
    let printed = Printed {
        exit: 0,
        text: b"hash  -\n".to_vec(),
    };
    assert_eq!(
        serving.heard(b"\r\r\nE000000ab_1_0\r\r\n", secs(1)),
        Reaction::Done(Ok(printed))
    );
}

#[test]
fn a_command_that_has_ended_wants_no_bytes() {
    let mut serving = running(Some(b"QUJD"));
    let both = b"\r\r\nG_000000ab\r\r\nhash  -\r\r\n\r\r\nE000000ab_1_0\r\r\n";
    assert!(matches!(serving.heard(both, secs(1)), Reaction::Done(Ok(_))));
    let mut serving = running(Some(b"QUJD"));
    let refused = b"cannot create\r\r\n\r\r\nE000000ab_1_2\r\r\n";
    assert!(matches!(
        serving.heard(refused, secs(1)),
        Reaction::Done(Ok(Printed { exit: 2, .. }))
    ));
}

#[test]
fn a_prompt_in_the_output_is_believed_after_a_while() {
    let mut serving = running(None);
    assert_eq!(serving.heard(b"50%\r\r\nroot@web1:/# ", secs(5)), Reaction::Wait);
    assert_eq!(serving.wake(), Some(secs(6)));
    assert_eq!(serving.heard(b"is what my prompt looks like", secs(5)), Reaction::Wait);
    assert_eq!(serving.wake(), Some(secs(60)));
    assert_eq!(serving.heard(b"\r\r\nroot@web1:/# ", secs(7)), Reaction::Wait);
    assert_eq!(serving.tick(secs(8)), Reaction::Done(Err(ConsoleError::HumanTyping)));
    assert_eq!(serving.leave(secs(8)), Reaction::Left);
}

#[test]
fn a_prompt_while_nothing_runs_ends_it_at_once() {
    let mut serving = serving(false);
    assert_eq!(serving.heard(b"\r\r\nsomebody@else:~$ ", secs(1)), Reaction::Wait);
    assert_eq!(serving.wake(), None);
    assert_eq!(serving.leave(secs(1)), Reaction::Left);
}

#[test]
fn other_words_while_nothing_runs_are_let_pass() {
    let mut serving = serving(false);
    assert_eq!(
        serving.heard(b"\r\r\nThe system is going down\r\r\n", secs(1)),
        Reaction::Wait
    );
    assert_eq!(serving.wake(), Some(secs(10)));
}

#[test]
fn a_refused_line_before_the_end_spoils_the_output() {
    let mut serving = running(None);
    let heard = b"out\r\r\n\r\r\nX_000000ab\r\r\n\r\r\nE000000ab_1_0\r\r\n";
    assert_eq!(
        serving.heard(heard, secs(1)),
        Reaction::Done(Err(ConsoleError::HumanTyping))
    );
    assert!(said(serving.leave(secs(1))).contains("BYE_000000ab"));
}

#[test]
fn a_refused_line_behind_the_end_takes_nothing_from_the_result() {
    let mut serving = running(None);
    let heard = b"out\r\r\n\r\r\nE000000ab_1_3\r\r\n\r\r\nX_000000ab\r\r\n";
    let printed = Printed {
        exit: 3,
        text: b"out\n".to_vec(),
    };
    assert_eq!(serving.heard(heard, secs(1)), Reaction::Done(Ok(printed)));
    let next = Command {
        line: "true".to_owned(),
        payload: None,
        within: secs(60),
        limit: 1000,
    };
    assert_eq!(
        serving.run(next, secs(1)),
        Reaction::Done(Err(ConsoleError::HumanTyping)),
        "nothing more is typed beside a person"
    );
}

#[test]
fn a_refused_line_that_comes_in_two_parts_around_the_beginning_is_seen() {
    for cut in 0..b"\r\r\nX_000000ab\r\r\n".len() {
        let (first, rest) = b"\r\r\nX_000000ab\r\r\n".split_at(cut);
        let mut serving = serving(true);
        serving.heard(first, secs(1));
        let command = Command {
            line: "true".to_owned(),
            payload: None,
            within: secs(60),
            limit: 1000,
        };
        assert!(matches!(serving.run(command, secs(1)), Reaction::Send(_)));
        let heard = [rest, b"out\r\r\n\r\r\nE000000ab_1_0\r\r\n"].concat();
        let reaction = serving.heard(&heard, secs(1));
        assert_eq!(reaction, Reaction::Done(Err(ConsoleError::HumanTyping)), "{cut}");
    }
}

#[test]
fn the_end_of_an_earlier_command_is_not_that_of_this() {
    let mut serving = running(None);
    assert!(matches!(
        serving.heard(b"\nE000000ab_1_0\n", secs(1)),
        Reaction::Done(Ok(_))
    ));
    let command = Command {
        line: "true".to_owned(),
        payload: None,
        within: secs(60),
        limit: 1000,
    };
    serving.run(command, secs(1));
    assert_eq!(
        serving.heard(b"\nE000000ab_1_0\nE000000ac_2_0\n", secs(1)),
        Reaction::Wait
    );
}

#[test]
fn leaving_ends_in_time() {
    let mut own = serving(true);
    assert_eq!(
        said(own.leave(secs(1))),
        "0:54:000000ab eval 'echo BYE_000000ab; sleep 1'\n000000ab Q\n"
    );
    assert_eq!(own.tick(secs(5)), Reaction::Wait);
    assert_eq!(own.tick(secs(6)), Reaction::Left);
    let mut foreign = serving(false);
    assert_eq!(said(foreign.leave(secs(1))), "0:11:000000ab Q\n");
    assert_eq!(foreign.tick(secs(1) + FAREWELL_FOREIGN), Reaction::Left);
}
