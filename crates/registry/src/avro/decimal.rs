//! Decimals: big-endian two's complement numbers, and the digits that persons write.

/// The most bytes of a decimal; converting takes time by their square.
const MAX_BYTES: usize = 1_024;

/// The most decimal digits that fit into them.
const MAX_DIGITS: usize = MAX_BYTES * 8 * 301 / 1_000;

const LIMB: u64 = 1_000_000_000;

/// `12.50` of the number's bytes and its scale.
///
/// # Errors
///
/// It has no byte, or more than 1,024.
pub(crate) fn read(bytes: &[u8], scale: u32) -> Result<String, String> {
    let first = check(bytes, scale)?;
    let is_negative = first & 0x80 != 0;
    let mut size = bytes.to_vec();
    if is_negative {
        negate(&mut size);
    }
    // Digits in groups of nine, the lowest first.
    let mut limbs: Vec<u64> = Vec::new();
    for byte in size {
        let mut carry = u64::from(byte);
        for limb in &mut limbs {
            carry += *limb << 8;
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut digits = limbs.pop().unwrap_or_default().to_string();
    for limb in limbs.iter().rev() {
        digits.push_str(&format!("{limb:09}"));
    }
    let scale = scale as usize;
    if scale > 0 {
        if digits.len() <= scale {
            digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
        }
        digits.insert(digits.len() - scale, '.');
    }
    Ok(if is_negative { format!("-{digits}") } else { digits })
}

/// Whether [`read`] takes bytes; the first of them.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn check(bytes: &[u8], scale: u32) -> Result<u8, String> {
    let first = *bytes.first().ok_or("invalid decimal: it has no byte")?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("invalid decimal: it has {} bytes, and the limit is {MAX_BYTES}", bytes.len()));
    }
    if scale as usize > MAX_DIGITS {
        return Err(format!("invalid decimal: its scale is {scale}, and the limit is {MAX_DIGITS}"));
    }
    Ok(first)
}

/// The shortest bytes of a number that a person wrote.
///
/// # Errors
///
/// It is no number, or one of more digits than `precision`, or than `scale` behind the point.
pub(crate) fn write(text: &str, precision: u32, scale: u32) -> Result<Vec<u8>, String> {
    let (is_negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.len() > MAX_DIGITS {
        return Err(format!("decimal too long: the limit is {MAX_DIGITS} digits"));
    }
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || rest.ends_with('.') {
        return Err(format!("{text:?} is no decimal: write it like \"12.50\""));
    }
    let fraction = fraction.trim_end_matches('0');
    let scale = scale as usize;
    if fraction.len() > scale {
        return Err(format!(
            "{text} has {} digits behind the point, and the scale is {scale}",
            fraction.len()
        ));
    }
    let whole = whole.trim_start_matches('0');
    let is_zero = whole.is_empty() && fraction.is_empty();
    if !is_zero && whole.len() + scale > MAX_DIGITS {
        return Err(format!("decimal too long: the limit is {MAX_DIGITS} digits with its scale"));
    }
    let mut digits = if is_zero { String::new() } else { format!("{whole}{fraction:0<scale$}") };
    digits.drain(..digits.len() - digits.trim_start_matches('0').len());
    if digits.len() > precision as usize {
        return Err(format!(
            "{text} has {} digits at scale {scale}, and the precision is {precision}",
            digits.len()
        ));
    }
    let mut bytes = magnitude(&digits);
    // A bit for the sign.
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    if is_negative {
        negate(&mut bytes);
        if let [0xff, second, ..] = bytes.as_slice()
            && second & 0x80 != 0
        {
            bytes.remove(0);
        }
    }
    Ok(bytes)
}

/// Big-endian bytes of digits, without a zero first.
fn magnitude(digits: &str) -> Vec<u8> {
    let mut lowest_first: Vec<u8> = Vec::new();
    for group in digits.as_bytes().chunks(9) {
        let (mut carry, mut factor) = (0_u64, 1_u64);
        for digit in group {
            carry = carry * 10 + u64::from(digit - b'0');
            factor *= 10;
        }
        for byte in &mut lowest_first {
            carry += u64::from(*byte) * factor;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            lowest_first.push(carry as u8);
            carry >>= 8;
        }
    }
    lowest_first.reverse();
    lowest_first
}

/// The two's complement.
fn negate(bytes: &mut [u8]) {
    let mut carry = true;
    for byte in bytes.iter_mut().rev() {
        let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
        *byte = sum;
        carry = overflow;
    }
}
