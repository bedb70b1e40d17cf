//! The few control functions (ECMA-48, DEC) that the screen speaks, as bytes.

/// Erase from the cursor to the end of the line.
pub(super) const ERASE_LINE: &[u8] = b"\x1b[K";
/// Erase everything; the cursor stays.
pub(super) const ERASE_SCREEN: &[u8] = b"\x1b[2J";
/// Show the hardware cursor.
pub(super) const SHOW_CURSOR: &[u8] = b"\x1b[?25h";
/// Hide the hardware cursor.
pub(super) const HIDE_CURSOR: &[u8] = b"\x1b[?25l";
/// Begin a synchronized update: the terminal paints when it ends.
pub(super) const BEGIN_SYNC: &[u8] = b"\x1b[?2026h";
/// End a synchronized update.
pub(super) const END_SYNC: &[u8] = b"\x1b[?2026l";
/// The whole screen scrolls again; the cursor goes home.
pub(super) const WHOLE_REGION: &[u8] = b"\x1b[r";

/// Appends a decimal number.
pub(super) fn number(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// Appends `CSI n final`, leaving out an `n` of one, which is every such function's default.
pub(super) fn csi(out: &mut Vec<u8>, n: u16, function: u8) {
    out.extend_from_slice(b"\x1b[");
    if n != 1 {
        number(out, n);
    }
    out.push(function);
}

/// How many bytes [`csi`] takes.
pub(super) fn csi_len(n: u16) -> usize {
    3 + if n == 1 { 0 } else { digits(n) }
}

/// How many decimal digits a number has.
pub(super) fn digits(n: u16) -> usize {
    n.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Appends `CSI top ; bottom r` with rows counted from zero, both inclusive; the cursor goes home.
pub(super) fn region(out: &mut Vec<u8>, top: u16, bottom: u16) {
    out.extend_from_slice(b"\x1b[");
    number(out, top + 1);
    out.push(b';');
    number(out, bottom + 1);
    out.push(b'r');
}
