#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = selfie_serve::fuzz::multipart_form(data);
});
