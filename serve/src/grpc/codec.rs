//! Messages as prost reads them, unless they hold so many parts that they would take many times their length in memory: a part that
//! is empty is two bytes long, and becomes a hundred.

use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use tonic::codec::{BufferSettings, DecodeBuf, Decoder};
use tonic::{Status, codec};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

/// Most parts of a message: far more than the images that a request may hold.
const MAX_PARTS: usize = 1 << 18;

/// The fields that hold messages with many parts, level by level: the inputs and the outputs of a `ModelInferRequest`, and the contents of
/// an input.
const NESTED: &[&[u32]] = &[&[5, 6], &[5]];

/// Writes messages `T` and reads messages `U`.
pub struct Codec<T, U>(ProstCodec<T, U>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(ProstCodec::default())
    }
}

impl<T, U> codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = Bounded<U>;

    fn encoder(&mut self) -> Self::Encoder {
        self.0.encoder()
    }

    fn decoder(&mut self) -> Self::Decoder {
        Bounded(self.0.decoder())
    }
}

/// Reads messages that do not hold too many parts.
pub struct Bounded<U>(ProstDecoder<U>);

impl<U: Message + Default> Decoder for Bounded<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // The whole message lies in one piece.
        if parts(buffer.chunk(), NESTED) > MAX_PARTS {
            return Err(Status::out_of_range(format!("the message holds more than {MAX_PARTS} parts")));
        }
        self.0.decode(buffer)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// How many fields with a length a message holds, those of the messages in it included. What comes after something that cannot be read
/// is not counted, nor would it be read.
fn parts(mut message: &[u8], nested: &[&[u32]]) -> usize {
    let mut count = 0;
    while let Ok((field, kind)) = decode_key(&mut message) {
        if kind != WireType::LengthDelimited {
            match skip_field(kind, field, &mut message, DecodeContext::default()) {
                Ok(()) => continue,
                Err(_) => break,
            }
        }
        let length = decode_varint(&mut message).ok().and_then(|length| usize::try_from(length).ok());
        let Some((part, rest)) = length.and_then(|length| message.split_at_checked(length)) else { break };
        count += 1;
        if let Some((fields, deeper)) = nested.split_first()
            && fields.contains(&field)
        {
            count += parts(part, deeper);
        }
        message = rest;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
    use crate::grpc::proto::inference::{InferTensorContents, ModelInferRequest};

    #[test]
    fn parts_are_counted_where_they_are_messages_and_nowhere_else() {
        let bytes_contents = vec![Default::default(), b"\x0a\x00\x0a\x00".to_vec().into(), Default::default()];
        let contents = InferTensorContents { bytes_contents, fp32_contents: vec![0.0; 9], ..Default::default() };
        let input = InferInputTensor { name: "x".into(), contents: Some(contents), ..Default::default() };
        let request = ModelInferRequest {
            model_name: "m".into(),
            inputs: vec![input],
            outputs: vec![InferRequestedOutputTensor::default(); 2],
            raw_input_contents: vec![b"\x0a\x00\x0a\x00".to_vec().into()],
            ..Default::default()
        };
        // The name; the input with its name, its contents, and in these the floats and three images; the outputs; the raw tensor.
        assert_eq!(parts(&request.encode_to_vec(), NESTED), 1 + 7 + 2 + 1);
        let cut = request.encode_to_vec();
        assert!((0..cut.len()).all(|end| parts(&cut[..end], NESTED) <= 11));
    }
}
