// The gray of a colour, one pixel or four at a time.

/** Weights of ITU-R BT.601 in 1/256. */
@inline export function weigh(r: u32, g: u32, b: u32): u32 {
  return (77 * r + 150 * g + 29 * b + 128) >> 8;
}

/** Four RGBA pixels to four gray lanes, alpha left aside. */
@inline export function weigh4(p: v128): v128 {
  const rb = v128.and(p, i16x8.splat(255));
  const ga = i16x8.shr_u(p, 8);
  const sum = i32x4.add(
    i32x4.dot_i16x8_s(rb, i16x8(77, 29, 77, 29, 77, 29, 77, 29)),
    i32x4.dot_i16x8_s(ga, i16x8(150, 0, 150, 0, 150, 0, 150, 0)),
  );
  return i32x4.shr_u(i32x4.add(sum, i32x4.splat(128)), 8);
}
