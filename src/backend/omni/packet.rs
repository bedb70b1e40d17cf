//! The little of OpenPGP's framing that a service account key needs: armour, packet headers, numbers.

/// What is wrong with the framing, in a few words.
pub(super) type Broken = &'static str;

/// One packet: its tag and its body.
pub(super) type Packet<'a> = (u8, &'a [u8]);

/// Takes the armour off: the lines between the marks, without headers; a checksum that is there must fit.
pub(super) fn dearmour(text: &str) -> Result<Vec<u8>, Broken> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN PGP "));
    lines.next().ok_or("it has no BEGIN PGP line")?;
    let inside: Vec<&str> = lines.take_while(|line| !line.starts_with("-----END PGP ")).collect();
    let start = inside.iter().position(|line| line.is_empty()).map_or(0, |blank| blank + 1);
    let body = inside.get(start..).unwrap_or_default();
    let (sums, data): (Vec<&str>, Vec<&str>) = body.iter().partition(|line| line.starts_with('='));
    let bytes = decode(&data.concat()).ok_or("its armour is not base64")?;
    match sums.first().and_then(|sum| decode(sum.get(1..)?)) {
        Some(sum) if sum != crc24(&bytes) => Err("its checksum does not match: it was copied with an error"),
        _ => Ok(bytes),
    }
}

/// Standard base64 with padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Bytes in lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The checksum of an armour (RFC 4880, 6.1).
pub(super) fn crc24(bytes: &[u8]) -> [u8; 3] {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ (u32::from(*byte) << 16), |crc, _| {
            let crc = crc << 1;
            if crc & 0x100_0000 == 0 { crc } else { crc ^ 0x0186_4cfb }
        })
    };
    let [_, a, b, c] = bytes.iter().fold(0x00b7_04ce, step).to_be_bytes();
    [a, b, c]
}

/// Splits a sequence of packets, with headers of the new and of the old format.
pub(super) fn packets(bytes: &[u8]) -> Result<Vec<Packet<'_>>, Broken> {
    let mut reader = Reader(bytes);
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let first = reader.byte()?;
        let (tag, length) = match first {
            0xc0.. => (first & 0x3f, new_length(&mut reader)?),
            0x80..=0xbf => ((first >> 2) & 0x0f, old_length(first, &mut reader)?),
            _ => return Err("it is no sequence of OpenPGP packets"),
        };
        found.push((tag, reader.take(length)?));
    }
    Ok(found)
}

/// A length of the new format, also that of a signature's subpacket.
pub(super) fn new_length(reader: &mut Reader<'_>) -> Result<usize, Broken> {
    Ok(match reader.byte()? {
        short @ ..192 => usize::from(short),
        high @ 192..224 => ((usize::from(high) - 192) << 8) + usize::from(reader.byte()?) + 192,
        255 => reader.u32()? as usize,
        _ => return Err("it holds a packet of unknown length"),
    })
}

fn old_length(first: u8, reader: &mut Reader<'_>) -> Result<usize, Broken> {
    Ok(match first & 3 {
        0 => usize::from(reader.byte()?),
        1 => usize::from(reader.u16()?),
        2 => reader.u32()? as usize,
        _ => return Err("it holds a packet of unknown length"),
    })
}

/// Reads big-endian numbers from the front of a slice.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (head, rest) = self.0.split_at_checked(count).ok_or("it breaks off in the middle")?;
        self.0 = rest;
        Ok(head)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    /// Two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, Broken> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, Broken> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A multi-precision integer's bytes: a bit count, then the number without leading zeros.
    pub(super) fn mpi(&mut self) -> Result<&'a [u8], Broken> {
        let bits = self.u16()?;
        self.take(usize::from(bits).div_ceil(8))
    }
}

/// Writes a multi-precision integer.
pub(super) fn put_mpi(out: &mut Vec<u8>, number: &[u8]) {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let digits = number.get(start..).unwrap_or_default();
    let spare = digits.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (digits.len() * 8).saturating_sub(spare as usize);
    out.extend_from_slice(&u16::try_from(bits).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(digits);
}

/// The number of an MPI, padded on the left to 32 bytes; `None` where it is longer.
pub(super) fn padded(number: &[u8]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    out.get_mut(32_usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    Some(out)
}
