//! From a writer that blocks to a body that streams.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// Bytes handed on at a time.
const PIECE: usize = 64 * 1024;
/// Pieces on their way: what a download holds in memory beside the piece being filled.
const UNDER_WAY: usize = 4;
/// How long a reader may take nothing before the download is given up.
const STALL: Duration = Duration::from_secs(30);
const NAP: Duration = Duration::from_millis(5);

type Piece = Result<Bytes, io::Error>;

/// The writing end. What is left in it is handed on by `flush`, or when it is dropped.
pub struct Pipe {
    to: Sender<Piece>,
    piece: Vec<u8>,
}

/// Breaks the download off from outside the writer.
pub struct Failure(Sender<Piece>);

/// A writer, and the stream of what is written to it.
pub fn pipe() -> (Pipe, impl Stream<Item = Piece> + Send + 'static) {
    let (to, from): (_, Receiver<Piece>) = channel(UNDER_WAY);
    let pieces = stream::unfold(from, |mut from| async move { from.recv().await.map(|piece| (piece, from)) });
    (Pipe { to, piece: Vec::with_capacity(PIECE) }, pieces)
}

impl Pipe {
    /// Keeps the stream open until told how it ended.
    pub fn failure(&self) -> Failure {
        Failure(self.to.clone())
    }

    fn hand_on(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let mut piece = Ok(Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE))));
        let mut waited = Duration::ZERO;
        loop {
            match self.to.try_send(piece) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(TrySendError::Full(_)) if waited >= STALL => return Err(io::ErrorKind::TimedOut.into()),
                Err(TrySendError::Full(back)) => piece = back,
            }
            thread::sleep(NAP);
            waited += NAP;
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.hand_on()?;
        }
        Ok(taken)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // A reader that has gone does not need the rest.
        let _ = self.hand_on();
    }
}

impl Failure {
    /// The stream ends in an error: a download that breaks off must not look whole.
    pub fn tell(self) {
        let broken = io::Error::other("the download broke off");
        if let Err(TrySendError::Full(piece)) = self.0.try_send(Err(broken)) {
            let to = self.0;
            tokio::spawn(async move {
                let _ = tokio::time::timeout(STALL, to.send(piece)).await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn what_is_written_comes_out_whole() {
        let (mut pipe, pieces) = pipe();
        let sent: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
        let all = sent.clone();
        let writer = tokio::task::spawn_blocking(move || pipe.write_all(&all));
        let got: Vec<u8> = pieces.map(|p| p.expect("a piece")).collect::<Vec<_>>().await.concat();
        writer.await.expect("joined").expect("written");
        assert_eq!(got, sent);
    }

    #[tokio::test]
    async fn a_failure_is_not_a_quiet_end() {
        let (mut pipe, pieces) = pipe();
        pipe.write_all(b"half").expect("buffered");
        let failure = pipe.failure();
        drop(pipe);
        failure.tell();
        let got: Vec<_> = pieces.collect().await;
        assert!(got.last().expect("something").is_err());
    }

    #[tokio::test]
    async fn a_reader_that_left_stops_the_writer() {
        let (mut pipe, pieces) = pipe();
        drop(pieces);
        assert_eq!(pipe.write_all(&vec![0; PIECE * 2]).expect_err("closed").kind(), io::ErrorKind::BrokenPipe);
    }
}
