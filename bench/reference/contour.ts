// Contours in plain JavaScript: border following on packed bits, a whole horizontal run at a time, each vertical edge
// once. The kernel links corners in one pass over pairs of rows; of both ways in JavaScript this was the faster.

/** Room for one picture, made once and used by every run. */
export interface ContourRoom {
  readonly width: number;
  readonly height: number;
  /** Words a row: those of the picture and a white one at either end. */
  readonly stride: number;
  /** The picture with a white frame. */
  readonly bits: Int32Array;
  /** Vertical edges, at the pixel right of them, that no contour has used yet. */
  readonly open: Int32Array;
  /** Vertical edges of which a contour that begins right of them will ask whose they are. */
  readonly asked: Int32Array;
  /** How many edges are asked for before each word, and whose they turned out to be. */
  readonly rank: Int32Array;
  readonly owner: Int32Array;
  readonly parent: Int32Array;
  readonly ends: Uint32Array;
  readonly points: Int32Array;
  readonly depth: Uint16Array;
}

/** `corners` is the number of corners of all contours; a contour has at least four. */
export function contourRoom(width: number, height: number, corners: number): ContourRoom {
  const stride = ((width + 63) >> 6) * 2 + 2;
  const words = (): Int32Array => new Int32Array(stride * (height + 2));
  return {
    width,
    height,
    stride,
    bits: words(),
    open: words(),
    asked: words(),
    rank: words(),
    owner: new Int32Array(corners >> 2),
    parent: new Int32Array(corners >> 2),
    ends: new Uint32Array(corners >> 2),
    points: new Int32Array(2 * corners + 2), // one to spare while a hole is walked
    depth: new Uint16Array(corners >> 2),
  };
}

/**
 * Closed pixel borders with nesting, in the order of their topmost, then leftmost corners. Black is 4-connected and
 * lies on the right hand (y down), so outer borders run clockwise on the screen. A border's points begin with that end of
 * its topmost edge from which it is walked: the left one of outer borders, the right one of holes.
 *
 * picture  rows of 2 * ((width + 63) >> 6) words, 1 = black, bits past the width 0
 * returns  number of contours; `ends`, `points` and `depth` of the room are filled
 */
export function contours(picture: Int32Array, room: ContourRoom): number {
  const { height, stride, bits, open, owner, parent, ends, depth } = room;
  frame(picture, room);
  let asked = 0;
  for (let y = 0; y < height; y++) asked = findEdges(y, asked, room);

  let contour = 0;
  let written = 0;
  for (let y = 0; y < height; y++) {
    const row = (y + 1) * stride + 1;
    let before = 0; // the pixel left of this word
    let edge = -1; // the last vertical edge left of this word
    for (let i = 0; i < stride - 1; i++) {
      const word = bits[row + i];
      const edges = word ^ ((word << 1) | before);
      before = word >>> 31;
      let rest = open[row + i];
      while (rest !== 0) {
        const bit = rest & -rest;
        const nearer = edges & (bit - 1);
        const left = nearer === 0 ? edge : (i << 5) + 31 - Math.clz32(nearer);
        // between that edge and this lies black inside an outer border, or white inside a hole
        let outside = left < 0 ? -1 : owner[rankOf(row + (left >> 5), 1 << left, room)];
        if (outside >= 0 && (depth[outside] & 1) === ((word & bit) === 0 ? 1 : 0)) outside = parent[outside];
        parent[contour] = outside;
        depth[contour] = outside < 0 ? 0 : depth[outside] + 1;
        written = follow((i << 5) + 31 - Math.clz32(bit), y, contour, written, room);
        ends[contour++] = written;
        rest = open[row + i];
      }
      if (edges !== 0) edge = (i << 5) + 31 - Math.clz32(edges);
    }
  }
  return contour;
}

function frame(picture: Int32Array, { height, stride, bits }: ContourRoom): void {
  const words = stride - 2;
  for (let y = 0; y < height; y++) {
    const to = (y + 1) * stride + 1;
    const from = y * words;
    for (let i = 0; i < words; i++) bits[to + i] = picture[from + i];
  }
}

/** Marks the vertical edges of pixel row `y`, and those next left of a corner where a contour may begin. */
function findEdges(y: number, askedBefore: number, { stride, bits, open, asked, rank }: ContourRoom): number {
  const row = (y + 1) * stride + 1;
  let count = askedBefore;
  let belowLast = 0;
  let aboveLast = 0;
  let edgeWord = -1;
  let edgeBit = 0;
  for (let i = row; i < row + stride - 1; i++) {
    asked[i] = 0;
    rank[i] = count;
    const below = bits[i];
    const above = bits[i - stride];
    const belowLeft = (below << 1) | belowLast;
    const aboveLeft = (above << 1) | aboveLast;
    belowLast = below >>> 31;
    aboveLast = above >>> 31;
    const edges = below ^ belowLeft;
    open[i] = edges;
    if (edges === 0) continue;
    // an edge begins here: none comes from above or from the left, or a black pixel touches only its corner
    let births = edges & ((~(above ^ aboveLeft) & ~(aboveLeft ^ belowLeft)) | (aboveLeft & ~above & below));
    while (births !== 0) {
      const bit = births & -births;
      births ^= bit;
      const nearer = edges & (bit - 1);
      if (nearer !== 0) {
        edgeWord = i;
        edgeBit = 1 << (31 - Math.clz32(nearer));
      }
      if (edgeWord >= 0 && (asked[edgeWord] & edgeBit) === 0) {
        asked[edgeWord] |= edgeBit;
        count++;
        if (edgeWord !== i) rank[i] = count;
      }
    }
    edgeWord = i;
    edgeBit = 1 << (31 - Math.clz32(edges));
  }
  return count;
}

function rankOf(word: number, bit: number, { asked, rank }: ContourRoom): number {
  return rank[word] + ones(asked[word] & (bit - 1));
}

/** Walks the contour whose topmost, then leftmost corner is given; returns how many points are written in all. */
function follow(firstX: number, firstY: number, contour: number, from: number, room: ContourRoom): number {
  const { stride, bits, open, asked, owner, points } = room;
  let x = firstX;
  let y = firstY;
  let row = (y + 1) * stride + 1; // of the pixels below the corner
  const outer = (bits[row + (x >> 5)] & (1 << x)) !== 0;
  let east = outer;
  let vertical = outer ? 0 : 1; // 0 a horizontal run comes next, 1 one down, -1 one up
  // a hole's topmost edge runs left and is the last to be walked, but its right end is written first
  let written = outer ? from : from + 1;
  points[2 * written] = x;
  points[2 * written + 1] = y;
  written++;
  for (;;) {
    if (vertical === 0) {
      // the run ends where the pixel on the right turns white or the one on the left black
      if (east) {
        let i = row + (x >> 5);
        let stops = (~bits[i] | bits[i - stride]) & (-1 << x);
        while (stops === 0) {
          i++;
          stops = ~bits[i] | bits[i - stride];
        }
        const bit = stops & -stops;
        x = ((i - row) << 5) + 31 - Math.clz32(bit);
        vertical = (bits[i] & bit) === 0 ? 1 : -1;
      } else {
        let i = row + ((x - 1) >> 5);
        let stops = (~bits[i - stride] | bits[i]) & (-1 >>> (31 - (x - 1)));
        while (stops === 0) {
          i--;
          stops = ~bits[i - stride] | bits[i];
        }
        const k = 31 - Math.clz32(stops);
        x = ((i - row) << 5) + k + 1;
        vertical = (bits[i - stride] & (1 << k)) === 0 ? -1 : 1;
        if (!outer && vertical === 1 && x === firstX && y === firstY) {
          points[2 * from] = points[2 * written - 2];
          points[2 * from + 1] = y;
          return written - 1;
        }
      }
    } else {
      const here = 1 << x;
      const left = 1 << (x - 1);
      const toLeft = (x & 31) === 0 ? -1 : 0;
      let i = row + (x >> 5);
      if (vertical === 1) {
        do {
          open[i] &= ~here;
          if ((asked[i] & here) !== 0) owner[rankOf(i, here, room)] = contour;
          i += stride;
          y++;
        } while ((bits[i + toLeft] & left) !== 0 && (bits[i] & here) === 0);
        east = (bits[i + toLeft] & left) !== 0;
      } else {
        do {
          i -= stride;
          y--;
          open[i] &= ~here;
          if ((asked[i] & here) !== 0) owner[rankOf(i, here, room)] = contour;
        } while ((bits[i - stride] & here) !== 0 && (bits[i - stride + toLeft] & left) === 0);
        east = (bits[i - stride] & here) === 0;
        if (outer && east && x === firstX && y === firstY) return written;
      }
      row = i - (x >> 5);
      vertical = 0;
    }
    points[2 * written] = x;
    points[2 * written + 1] = y;
    written++;
  }
}

/** Corners of all contours of a bitmap; what `contourRoom` needs. */
export function countCorners(picture: Int32Array, width: number, height: number): number {
  const words = ((width + 63) >> 6) * 2;
  let count = 0;
  for (let y = 0; y <= height; y++) {
    let aboveLast = 0;
    let belowLast = 0;
    for (let i = 0; i <= words; i++) {
      const above = y > 0 && i < words ? picture[(y - 1) * words + i] : 0;
      const below = y < height && i < words ? picture[y * words + i] : 0;
      const up = above ^ ((above << 1) | aboveLast);
      const down = below ^ ((below << 1) | belowLast);
      aboveLast = above >>> 31;
      belowLast = below >>> 31;
      count += ones(up ^ down) + 2 * ones(up & down & (above ^ below));
    }
  }
  return count;
}

function ones(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
