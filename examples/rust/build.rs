//! With the feature `burn-onnx`: makes Rust of the model that the variable `MODEL` names.

fn main() {
    #[cfg(feature = "burn-onnx")]
    {
        println!("cargo::rerun-if-env-changed=MODEL");
        let model = std::env::var("MODEL").expect("MODEL names an ONNX file, from the root of the file system");
        println!("cargo::rerun-if-changed={model}");
        let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
        std::fs::copy(&model, format!("{out}/network.onnx")).expect("the file that MODEL names can be read");
        burn_onnx::ModelGen::new().input(&format!("{out}/network.onnx")).out_dir(&out).run_from_cli();
    }
}
