//! What may be done on Omni: tiers, roles and forms.

use super::CLUSTERS;
use crate::model::op::{Field, FieldKind, OpSpec, Tier};

/// Ten years, the server's own limit for a kubeconfig token, is nobody's wish here: a token cannot be revoked.
const LONGEST_TOKEN: i64 = 30 * 86_400;

/// All operations.
pub(in crate::backend::omni) fn operations() -> Vec<OpSpec> {
    vec![kubeconfig()]
}

fn kubeconfig() -> OpSpec {
    let doc = "Write a kubeconfig with a service account token into a file that only you may read.";
    OpSpec::on(CLUSTERS, "omni.kubeconfig", "kubeconfig", Tier::T1, doc).right("Operator").form(vec![
        Field::new("path", "file", FieldKind::Line, "The file to write; empty is one of vigie's own")
            .optional(),
        Field::new(
            "ttl",
            "valid for",
            FieldKind::Duration { max: LONGEST_TOKEN },
            "How long the token works; it cannot be revoked on its own",
        )
        .default("8h"),
        Field::new("user", "user", FieldKind::Line, "The Kubernetes user that the token names")
            .default("vigie"),
        Field::new("groups", "groups", FieldKind::Line, "Its Kubernetes groups, separated by commas")
            .default("system:masters"),
        Field::new("replace", "replace", FieldKind::Flag, "Replace the file where it exists")
            .default("false"),
    ])
}
