//! Links: rows of different systems that are the same thing, carry one another, or tell of one another.
//!
//! Every link keeps its evidence. Only certain evidence unites; what is likely or a hint is shown as such, and two
//! certain claims that contradict each other are both shown.

mod alias;
mod bond;
mod index;
mod related;
#[cfg(test)]
mod tests;

pub use alias::Aliases;
pub use bond::{Bond, Relation};
pub use index::Index;
pub use related::{Related, related};
