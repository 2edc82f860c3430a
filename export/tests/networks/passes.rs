//! Every pass alone on every network: which one is wrong, where all together are. The gate runs them together.

use std::collections::BTreeSet;

use selfie_export::passes::PIPELINE;

use crate::NETWORKS;

#[test]
#[ignore = "the gate runs the passes together; this finds the one that is wrong"]
fn every_pass_alone_keeps_the_numbers() {
    let (mut wrong, mut fired) = (Vec::new(), BTreeSet::new());
    for network in NETWORKS {
        let network = network();
        for opset in BTreeSet::from([network.opset, 24]) {
            for pass in PIPELINE.iter().map(|pass| pass.name()) {
                let model = network.with_pass(opset, pass);
                if model.report().passes.iter().any(|summary| !summary.fired.is_empty()) {
                    fired.insert(pass);
                    let label = format!("{} at opset {opset} with {pass} alone", network.name);
                    wrong.extend(network.differences(&label, &model));
                }
            }
        }
        eprintln!("{}: {} differences so far", network.name, wrong.len());
    }
    let idle: Vec<_> = PIPELINE.iter().map(|pass| pass.name()).filter(|pass| !fired.contains(pass)).collect();
    eprintln!("passes that need another one before them, or fire in none of the networks: {idle:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
