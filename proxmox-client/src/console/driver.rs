//! The task that holds a conversation with a line server while its [`Session`](super::Session) is in use or rests.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::error::ConsoleError;
use super::serving::{Command, Printed, Reaction, Serving};
use super::socket::{Ear, Mouth};

/// What a session asks its driver for.
pub(super) enum Order {
    /// Run a command.
    Run(Command, oneshot::Sender<Result<Printed, ConsoleError>>),
    /// Say goodbye.
    Leave(oneshot::Sender<()>),
}

/// One end of a connection and the conversation over it.
pub(super) struct Driver {
    pub(super) serving: Serving,
    pub(super) ear: Ear,
    pub(super) orders: mpsc::Receiver<Order>,
    /// When the connection was made.
    pub(super) begin: Instant,
    said: mpsc::UnboundedSender<Vec<u8>>,
    waiting: Waiting,
    /// Sends what is said, so that a terminal that does not read keeps nobody from listening. Ends with the driver.
    _speaking: JoinSet<()>,
}

/// Who waits for the conversation.
enum Waiting {
    Nobody,
    ForCommand(oneshot::Sender<Result<Printed, ConsoleError>>),
    ForFarewell(oneshot::Sender<()>),
}

impl Driver {
    pub(super) fn new(serving: Serving, mouth: Mouth, ear: Ear, orders: mpsc::Receiver<Order>, begin: Instant) -> Self {
        let (said, to_say) = mpsc::unbounded_channel();
        let mut speaking = JoinSet::new();
        speaking.spawn(speak(mouth, to_say));
        Self {
            serving,
            ear,
            orders,
            begin,
            said,
            waiting: Waiting::Nobody,
            _speaking: speaking,
        }
    }

    /// Converses until the session is dropped or has left; then the connection is closed.
    pub(super) async fn drive(mut self) {
        let mut is_connected = true;
        loop {
            let wake = self.serving.wake().map(|wake| self.begin + wake);
            let reaction = tokio::select! {
                heard = self.ear.hear(), if is_connected => match heard {
                    Some(bytes) => self.serving.heard(&bytes, self.now()),
                    None => {
                        is_connected = false;
                        self.serving.ended()
                    }
                },
                order = self.orders.recv(), if self.serving.is_free() => match order {
                    Some(order) => self.begin(order),
                    None => return,
                },
                () = sleep_until(wake) => self.serving.tick(self.now()),
            };
            if self.follow(reaction) {
                return;
            }
        }
    }

    fn begin(&mut self, order: Order) -> Reaction {
        match order {
            Order::Run(command, reply) => {
                self.waiting = Waiting::ForCommand(reply);
                self.serving.run(command, self.now())
            }
            Order::Leave(reply) => {
                self.waiting = Waiting::ForFarewell(reply);
                self.serving.leave(self.now())
            }
        }
    }

    /// Whether the conversation is over.
    fn follow(&mut self, reaction: Reaction) -> bool {
        match reaction {
            Reaction::Wait => false,
            // A connection that can no longer be written to is heard to have ended.
            Reaction::Send(message) => {
                let _ = self.said.send(message);
                false
            }
            // Whoever gave the command may have gone.
            Reaction::Done(result) => {
                if let Waiting::ForCommand(reply) = std::mem::replace(&mut self.waiting, Waiting::Nobody) {
                    let _ = reply.send(result);
                }
                false
            }
            Reaction::Left => {
                if let Waiting::ForFarewell(reply) = std::mem::replace(&mut self.waiting, Waiting::Nobody) {
                    let _ = reply.send(());
                }
                true
            }
        }
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }
}

async fn speak(mut mouth: Mouth, mut to_say: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(message) = to_say.recv().await {
        if !mouth.say(&message).await {
            return;
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
