//! Everything that can go wrong, and the HTTP status of each, from which gRPC's follows.

use std::path::PathBuf;

/// What went wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model store that cannot be read or holds nothing to serve.
    #[error("model store {}: {reason}", path.display())]
    Store {
        /// The folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A model file that cannot be used.
    #[error("{}: {reason}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A `versions.toml` that cannot be followed.
    #[error("{}: {reason}", path.display())]
    Rules {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A card that is wrong.
    #[error("{}: {source}", path.display())]
    Card {
        /// The file that holds the card.
        path: PathBuf,
        /// What the card's reader said.
        #[source]
        source: selfie_models::Error,
    },
    /// A file that cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A runtime that was asked for and cannot be used.
    #[error("runtime \"{name}\": {reason}")]
    Runtime {
        /// Name of the runtime.
        name: String,
        /// Why not and what to do.
        reason: String,
    },
    /// A device name that is unknown or not to be had.
    #[error("device \"{name}\": {reason}")]
    Device {
        /// What was asked for.
        name: String,
        /// Why not and what to do.
        reason: String,
    },
    /// A model that a runtime refuses to load.
    #[error("{}: {runtime} cannot load it: {reason}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Name of the runtime.
        runtime: &'static str,
        /// What the runtime said.
        reason: String,
    },
    /// A model whose golden samples come out different on this runtime and device.
    #[error("{}: refused, its golden sample {sample} differs on {runtime} ({device}): {source}", path.display())]
    Golden {
        /// The file.
        path: PathBuf,
        /// Which sample of the card.
        sample: usize,
        /// Name of the runtime.
        runtime: &'static str,
        /// Name of the device.
        device: String,
        /// Which output and by how much.
        #[source]
        source: Box<selfie_models::Error>,
    },
    /// An option with a value that makes no sense.
    #[error("option {option}: {reason}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What was expected and found.
        reason: String,
    },
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {source}{hint}")]
    Bind {
        /// Host and port.
        address: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
        /// What to do, or nothing.
        hint: &'static str,
    },
    /// The server's own machinery failed to start or stop.
    #[error("server: {reason}")]
    Server {
        /// What failed.
        reason: String,
    },
    /// A runtime that could not be installed.
    #[error("install {package}: {reason}")]
    Install {
        /// The package with its version.
        package: String,
        /// What failed and what to do.
        reason: String,
    },
    /// Something that cannot be measured.
    #[error("bench: {subject}: {reason}")]
    Bench {
        /// What was measured.
        subject: String,
        /// What went wrong and what to do.
        reason: String,
    },
    /// Images for the work without a server that cannot be read.
    #[error("{}: {reason}", path.display())]
    Input {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An image that cannot be used, in work that leaves none out.
    #[error("{id}: the image {reason}; --skip-damaged goes on without it")]
    Damaged {
        /// Name of the image.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of vectors that cannot be searched.
    #[error("gallery {}: {reason}", path.display())]
    Gallery {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A gallery that is not served.
    #[error("gallery \"{name}\" is not here; {known}")]
    UnknownGallery {
        /// What was asked for.
        name: String,
        /// What is here, or what to do.
        known: String,
    },
    /// A thumbnail that a gallery does not hold.
    #[error("gallery \"{gallery}\" has no thumbnail {row}: {reason}")]
    UnknownThumbnail {
        /// The gallery.
        gallery: String,
        /// The row that was asked for.
        row: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// An output that cannot be written.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A request that makes no sense.
    #[error("{reason}")]
    Invalid {
        /// The field that is wrong, as the client wrote it, or empty.
        param: String,
        /// What was expected and found.
        reason: String,
    },
    /// An image that cannot be used.
    #[error("image {item}: {reason}")]
    Image {
        /// Position in the request, from 0.
        item: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A model name or version that is not served.
    #[error("model \"{name}\" is not here; {known}")]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// What is here.
        known: String,
    },
    /// A path that no route answers.
    #[error("nothing is at {path}")]
    UnknownPath {
        /// The path of the request.
        path: String,
    },
    /// A path that is there, with a method that it does not take.
    #[error("{method} is not allowed here; allowed: {allow}")]
    Method {
        /// The method of the request.
        method: String,
        /// The methods that the path takes.
        allow: &'static str,
    },
    /// A request body over the limit.
    #[error("the request body is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A request body that stopped coming.
    #[error("nothing of the request body came for {limit_ms} ms")]
    BodyStalled {
        /// The limit.
        limit_ms: u64,
    },
    /// A request body that comes by drops.
    #[error("the request body comes slower than {bytes_per_s} bytes a second")]
    BodySlow {
        /// The limit.
        bytes_per_s: u64,
    },
    /// More items in one request than allowed.
    #[error("{found} items in one request; at most {limit} are allowed, send several requests")]
    TooManyItems {
        /// How many came.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A body of a type that the route does not read.
    #[error("content type \"{found}\" is not read here; send {expected}")]
    MediaType {
        /// The type of the request.
        found: String,
        /// The types that the route reads.
        expected: &'static str,
    },
    /// A body in an encoding that is not known.
    #[error("content encoding \"{found}\" is not read here; send gzip, deflate, or none")]
    ContentEncoding {
        /// The encoding of the request.
        found: String,
    },
    /// A form of the response that there is not.
    #[error("none of \"{found}\" is given here; accept {expected}")]
    NotAcceptable {
        /// What the client accepts.
        found: String,
        /// What there is.
        expected: &'static str,
    },
    /// No room in the queue.
    #[error("the queue of model \"{model}\" is full ({limit} items); try again in {retry_after_s} s")]
    QueueFull {
        /// The model.
        model: String,
        /// Length of the queue.
        limit: usize,
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// A request that would wait longer than it may.
    #[error(
        "model \"{model}\" is {wait_ms} ms behind, longer than this request may wait; try again in {retry_after_s} s"
    )]
    TooLate {
        /// The model.
        model: String,
        /// How long the items that wait will take.
        wait_ms: u64,
        /// When to try again, in seconds.
        retry_after_s: u64,
    },
    /// A request that has waited as long as it may.
    #[error("model \"{model}\" did not get to this request in the time that it may wait")]
    Timeout {
        /// The model.
        model: String,
    },
    /// A runtime that failed on an item.
    #[error("model \"{model}\" failed: {reason}")]
    Backend {
        /// The model.
        model: String,
        /// What the runtime said.
        reason: String,
    },
    /// A model that is in the store but was refused when it was loaded.
    #[error("model \"{model}\" is not served: {reason}")]
    Refused {
        /// The model.
        model: String,
        /// Why.
        reason: String,
    },
    /// A model that is not ready yet.
    #[error("model \"{model}\" is being loaded; try again")]
    Loading {
        /// The model.
        model: String,
    },
    /// A server whose models are not loaded yet.
    #[error("the models are being loaded; try again")]
    Starting,
    /// A request without a key that is known.
    #[error("{reason}")]
    Unauthorized {
        /// What is missing.
        reason: &'static str,
    },
    /// Something that this caller or this server does not allow.
    #[error("{reason}")]
    Forbidden {
        /// What is not allowed, and what would allow it.
        reason: String,
    },
    /// A server that is shutting down.
    #[error("the server is shutting down")]
    Draining,
}

impl Error {
    /// The HTTP status of the error. The one place where statuses are decided.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } | Self::Image { .. } => 400,
            Self::Unauthorized { .. } => 401,
            Self::Forbidden { .. } => 403,
            Self::UnknownModel { .. }
            | Self::UnknownGallery { .. }
            | Self::UnknownThumbnail { .. }
            | Self::UnknownPath { .. } => 404,
            Self::Method { .. } => 405,
            Self::NotAcceptable { .. } => 406,
            Self::BodyStalled { .. } | Self::BodySlow { .. } => 408,
            Self::BodyTooLarge { .. } | Self::TooManyItems { .. } => 413,
            Self::MediaType { .. } | Self::ContentEncoding { .. } => 415,
            Self::QueueFull { .. } | Self::TooLate { .. } => 429,
            Self::Store { .. }
            | Self::ModelFile { .. }
            | Self::Rules { .. }
            | Self::Card { .. }
            | Self::Io { .. }
            | Self::Runtime { .. }
            | Self::Device { .. }
            | Self::Load { .. }
            | Self::Golden { .. }
            | Self::Option { .. }
            | Self::Bind { .. }
            | Self::Server { .. }
            | Self::Install { .. }
            | Self::Input { .. }
            | Self::Damaged { .. }
            | Self::Output { .. }
            | Self::Gallery { .. }
            | Self::Bench { .. }
            | Self::Backend { .. } => 500,
            Self::Starting | Self::Loading { .. } | Self::Refused { .. } | Self::Draining => 503,
            Self::Timeout { .. } => 504,
        }
    }

    /// The HTTP status on the paths of the inference protocol, where 503 is what a request gets that timed out in the queue.
    pub fn protocol_status(&self) -> u16 {
        match self {
            Self::Timeout { .. } => 503,
            other => other.status(),
        }
    }

    /// What became of a request that ended in this error, as `selfie_requests_total` labels it.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::QueueFull { .. } | Self::TooLate { .. } | Self::Loading { .. } | Self::Refused { .. } => "rejected",
            Self::Timeout { .. } => "timeout",
            other if other.status() < 500 => "invalid",
            _ => "backend",
        }
    }

    /// Whether the operator should hear of it: a failure of the server that is no part of its usual life. That a model was refused
    /// has been told once, when it was.
    pub fn is_fault(&self) -> bool {
        let is_usual = matches!(
            self,
            Self::Starting | Self::Draining | Self::Loading { .. } | Self::Refused { .. } | Self::Timeout { .. }
        );
        self.status() >= 500 && !is_usual
    }

    /// After how many seconds another try is likely to succeed, where that is known.
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::QueueFull { retry_after_s, .. } | Self::TooLate { retry_after_s, .. } => Some(*retry_after_s),
            Self::Starting | Self::Loading { .. } => Some(1),
            _ => None,
        }
    }

    /// The same error, told about another item of the request.
    pub(crate) fn at_item(self, item: usize) -> Self {
        match self {
            Self::Image { reason, .. } => Self::Image { item, reason },
            other => other,
        }
    }

    pub(crate) fn invalid(param: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { param: param.into(), reason: reason.into() }
    }

    pub(crate) fn bench(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Bench { subject: subject.into(), reason: reason.into() }
    }

    pub(crate) fn image(reason: impl Into<String>) -> Self {
        Self::Image { item: 0, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_whose_fault_it_is() {
        let cases = [
            (Error::invalid("input", "is missing"), 400, "invalid"),
            (Error::image("is truncated"), 400, "invalid"),
            (Error::BodyTooLarge { limit_bytes: 1 }, 413, "invalid"),
            (Error::BodyStalled { limit_ms: 1 }, 408, "invalid"),
            (Error::QueueFull { model: "m".into(), limit: 1, retry_after_s: 1 }, 429, "rejected"),
            (Error::Backend { model: "m".into(), reason: "out of memory".into() }, 500, "backend"),
            (Error::TooLate { model: "m".into(), wait_ms: 1, retry_after_s: 1 }, 429, "rejected"),
            (Error::Timeout { model: "m".into() }, 504, "timeout"),
            (Error::Draining, 503, "draining"),
            (Error::Loading { model: "m".into() }, 503, "rejected"),
            (Error::Refused { model: "m".into(), reason: "it was unloaded".into() }, 503, "rejected"),
        ];
        for (error, status, outcome) in cases {
            assert_eq!((error.status(), error.outcome()), (status, outcome), "{error}");
        }
    }

    #[test]
    fn only_what_is_new_to_the_operator_is_a_fault() {
        let model = || "m".to_owned();
        let cases = [
            (Error::Backend { model: model(), reason: "out of memory".into() }, true),
            (Error::Refused { model: model(), reason: "it was unloaded".into() }, false),
            (Error::Loading { model: model() }, false),
            (Error::invalid("input", "is missing"), false),
        ];
        for (error, is_fault) in cases {
            assert_eq!(error.is_fault(), is_fault, "{error}");
        }
    }

    #[test]
    fn an_image_error_names_its_place_in_the_request() {
        assert_eq!(Error::image("is truncated").at_item(3).to_string(), "image 3: is truncated");
    }
}
