//! The contract of `wit/policy.wit` as Rust types, for the published line 0.1.
#![allow(
    missing_docs,
    unreachable_pub,
    reason = "generated from wit/, which has the documentation"
)]
#![allow(clippy::pedantic, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../../wit",
    // The world `update-policy` without the parts of WASI that stock builds import, which are linked from `wasmtime-wasi`.
    inline: "
        package budstikke:judge;
        world judge {
            import wasi:logging/logging;
            import budstikke:plugin/situation@0.1.0;
            export budstikke:plugin/policy@0.1.0;
        }
    ",
    world: "budstikke:judge/judge",
    imports: { default: trappable },
    exports: { default: async },
    require_store_data_send: true,
    with: { "budstikke:plugin/situation.update": crate::policy::About },
});
