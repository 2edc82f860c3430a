//! The body of a call, which has to come as fast as one of REST. Of a stream each message has to, once it has begun; the next one may
//! take its time.

use super::status::status;
use crate::app::pace::Pace;
use actix_web::web::Bytes;
use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tonic::Status;
use tonic::body::Body;

/// What stands before each message: whether it is compressed, and in four bytes its length.
const PREFIX_BYTES: usize = 5;

/// The body, which ends with a status when it does not come in time. Nothing of it may come for at most `limit_ms`, 0 sets no limit.
pub fn timely(body: Body, limit_ms: u64, is_stream: bool) -> Body {
    if limit_ms == 0 {
        return body;
    }
    let messages = is_stream.then(Messages::default);
    let coming = Coming { body, limit_ms, pace: Pace::new(limit_ms), messages };
    Body::new(StreamBody::new(unfold(Some(coming), next)))
}

/// A body that is on its way.
struct Coming {
    body: Body,
    limit_ms: u64,
    pace: Pace,
    /// Those of a stream.
    messages: Option<Messages>,
}

impl Coming {
    fn add(&mut self, data: &[u8]) {
        let has_ended = self.messages.as_mut().is_some_and(|messages| messages.add(data));
        if has_ended {
            self.pace = Pace::new(self.limit_ms);
        } else {
            self.pace.add(data.len());
        }
    }
}

/// The next part, and what is still to come. After an error that is nothing, so that its memory is given back.
async fn next(coming: Option<Coming>) -> Option<(Result<Frame<Bytes>, Status>, Option<Coming>)> {
    let mut coming = coming?;
    let may_pause = coming.messages.as_ref().is_some_and(Messages::are_whole);
    let frame = match may_pause {
        true => coming.body.frame().await,
        false => match coming.pace.wait(coming.body.frame()).await {
            Ok(frame) => frame,
            Err(error) => Some(Err(status(&error))),
        },
    };
    let frame = match frame? {
        Ok(frame) => frame,
        Err(status) => return Some((Err(status), None)),
    };
    if let Some(data) = frame.data_ref() {
        coming.add(data);
    }
    Some((Ok(frame), Some(coming)))
}

/// How far the messages of a stream have come.
///
/// # Source
/// gRPC over HTTP/2, `Length-Prefixed-Message`.
#[derive(Default)]
struct Messages {
    /// The prefix of the last one, as far as it has come. It is empty once the message is there.
    prefix: Vec<u8>,
    /// The bytes of the last one that are to come after its prefix.
    left: usize,
}

impl Messages {
    /// Goes on by `data`, and says whether a message has ended in it.
    fn add(&mut self, mut data: &[u8]) -> bool {
        let mut has_ended = false;
        while !data.is_empty() {
            if self.prefix.len() < PREFIX_BYTES {
                self.prefix.extend_from_slice(take(&mut data, PREFIX_BYTES - self.prefix.len()));
                let [_, a, b, c, d] = self.prefix[..] else { continue };
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
            }
            self.left -= take(&mut data, self.left).len();
            if self.left == 0 {
                self.prefix.clear();
                has_ended = true;
            }
        }
        has_ended
    }

    /// Whether no message has begun that is not there in full.
    fn are_whole(&self) -> bool {
        self.prefix.is_empty()
    }
}

/// Takes so many bytes from the front, or all that there are.
fn take<'a>(data: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = data.split_at(most.min(data.len()));
    *data = rest;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let message = |length: u8| [vec![0, 0, 0, 0, length], vec![7; length.into()]].concat();
        let stream = [message(3), message(0), message(200)].concat();
        let ends = [8, 13, 218];
        for size in 1..=stream.len() {
            let (mut messages, mut at) = (Messages::default(), 0);
            for part in stream.chunks(size) {
                let reached = at + part.len();
                let has_ended = ends.iter().any(|end| (at + 1..=reached).contains(end));
                assert_eq!(messages.add(part), has_ended, "{size} bytes at once, {at}");
                assert_eq!(messages.are_whole(), ends.contains(&reached), "{size} bytes at once, {at}");
                at = reached;
            }
        }
    }
}
