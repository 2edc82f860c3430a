//! What answers in the words of OpenAI's API and of infinity say beside their data.

use crate::app::request_id::RequestId;
use actix_web::{HttpMessage, HttpRequest};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands beside the data.
#[derive(Serialize)]
pub struct Receipt {
    usage: Usage,
    /// That of the request, as in `x-request-id`.
    id: String,
    /// When the answer was written, in seconds of Unix time.
    created: u64,
}

/// Always zero: images have no tokens, but OpenAI's clients want the field.
#[derive(Default, Serialize)]
pub struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

impl Receipt {
    /// What stands beside the data of an answer that is written now.
    pub fn of(request: &HttpRequest) -> Self {
        let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { usage: Usage::default(), id, created }
    }
}
