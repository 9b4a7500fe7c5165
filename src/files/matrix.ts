import svgpath from "svgpath";

/** A map of the plane: x' = a x + c y + e, y' = b x + d y + f. */
export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** First `inner`, then `outer`. */
export function compose(outer: Matrix, inner: Matrix): Matrix {
  const [a, b, c, d, e, f] = outer;
  const [g, h, i, j, k, l] = inner;
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
const FUNCTION = new RegExp(
  String.raw`^[\s,]*(matrix|translate|scale|rotate|skewX|skewY)\s*\(\s*(${NUMBER}(?:[\s,]*${NUMBER})*)\s*\)[\s,]*`,
);
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  matrix: [6],
  translate: [1, 2],
  scale: [1, 2],
  rotate: [1, 3],
  skewX: [1],
  skewY: [1],
};

/** What a `transform` attribute does; undefined when it cannot be read. */
export function transformOf(text: string): Matrix | undefined {
  let plain = "";
  for (let rest = text.trim(); rest !== ""; ) {
    const [whole, name, list] = FUNCTION.exec(rest) ?? [];
    const numbers = list?.match(new RegExp(NUMBER, "g")) ?? [];
    if (whole === undefined || !COUNTS[name as string]?.includes(numbers.length)) return undefined;
    plain += `${name}(${numbers.join(" ")})`;
    rest = rest.slice(whole.length);
  }
  // where the library takes three points is the whole of what it does
  const at: [number, number][] = [];
  svgpath("M0 0L1 0L0 1")
    .transform(plain)
    .iterate(([, x, y]) => {
      at.push([x as number, y as number]);
    });
  const [[e, f], [ax, by], [cx, dy]] = at as [[number, number], [number, number], [number, number]];
  return [ax - e, by - f, cx - e, dy - f, e, f];
}

/** Where a viewport's content goes: `viewBox` fitted into `x`, `y`, `width`, `height` as `preserveAspectRatio` says. */
export function viewBoxMatrix(
  [minX, minY, boxWidth, boxHeight]: readonly [number, number, number, number],
  fit: string,
  {
    x,
    y,
    width,
    height,
  }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Matrix {
  let scaleX = width / boxWidth;
  let scaleY = height / boxHeight;
  const [align = "xMidYMid", how] = fit.trim().split(/\s+/);
  let moveX = x;
  let moveY = y;
  if (align !== "none") {
    scaleX = scaleY = how === "slice" ? Math.max(scaleX, scaleY) : Math.min(scaleX, scaleY);
    const share = (word: string | undefined): number => (word === "Min" ? 0 : word === "Max" ? 1 : 0.5);
    const [, across, down] = /^x(Min|Mid|Max)Y(Min|Mid|Max)$/.exec(align) ?? [];
    moveX += share(across) * (width - scaleX * boxWidth);
    moveY += share(down) * (height - scaleY * boxHeight);
  }
  return [scaleX, 0, 0, scaleY, moveX - scaleX * minX, moveY - scaleY * minY];
}
