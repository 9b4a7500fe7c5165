import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Image } from "../engine/image.ts";
import { KerfworkError } from "../errors.ts";
import { environment } from "../tasker/target.ts";
import { readOrientation, turnUpright } from "./exif.ts";
import { checkSize } from "./size.ts";

/** Key of the compiled decoder among the values that a host may hand to its threads. */
const MODULE = "kerfwork.jpeg";

/** The part of the Emscripten module that decodes. */
interface Codec {
  decode(
    bytes: Uint8Array,
    preserveOrientation: boolean,
  ): { data: Uint8ClampedArray; width: number; height: number };
}
type CodecFactory = (options: {
  readonly noInitialRun: boolean;
  readonly printErr: (line: string) => void;
  readonly instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}) => Promise<Codec>;

/** Decodes to gray or RGBA and turns the result upright. See `decodeImage`. */
export async function decodeJpeg(bytes: Uint8Array, maxPixels: number): Promise<Image> {
  const header = readHeader(bytes);
  const { width, height, components } = header;
  checkSize(width, height, maxPixels);
  const complaints: string[] = [];
  const codec = await newCodec((line) => complaints.push(line));
  let decoded: ReturnType<Codec["decode"]> | null = null;
  try {
    decoded = codec.decode(bytes, false);
  } catch {
    // the codec throws an Emscripten object; what it says goes to `printErr`
  }
  // the decoder paints gray over what it cannot read and carries on, which a laser would burn
  const damage = complaints.find((line) => /^(Corrupt|Premature)/.test(line));
  if (!decoded || damage !== undefined || decoded.width !== width || decoded.height !== height)
    throw broken(damage ?? complaints.at(-1) ?? "the decoder gave up");
  const rgba = new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.byteLength);
  const image = { width, height, data: components === 1 ? redOf(rgba) : rgba };
  return turnUpright(image, header.orientation);
}

/**
 * A decoder of its own for each picture, so that the memory it grew to goes with it; compiled once a thread.
 * Resolved as a file of the package and not bundled, so that it is found from wherever this code runs.
 */
async function newCodec(printErr: (line: string) => void): Promise<Codec> {
  const { provided } = environment();
  let module = provided.get(MODULE) as WebAssembly.Module | undefined;
  if (module === undefined) {
    const file = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
    module = await WebAssembly.compile(readFileSync(file));
    provided.set(MODULE, module);
  }
  const compiled = module;
  const { default: factory } = await import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js");
  return (factory as unknown as CodecFactory)({
    noInitialRun: true,
    printErr,
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(compiled, imports);
      done(instance);
      return instance.exports;
    },
  });
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly orientation: number;
}

/**
 * Walks the markers from the first to the end of the picture (ITU-T T.81, annex B), so that a truncated file is known
 * as such, and its size before it is decoded.
 */
function readHeader(bytes: Uint8Array): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Omit<Header, "orientation"> | undefined;
  let orientation = 1;
  let scans = 0;
  let at = 2;
  while (true) {
    // fill bytes may stand before a marker
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 2 > bytes.length) throw broken("it is truncated");
    if (bytes[at] !== 0xff) throw broken(`byte ${at} is not a marker`);
    const marker = bytes[at + 1];
    at += 2;
    if (marker === 0xd9) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    if (at + 2 > bytes.length) throw broken("it is truncated");
    const length = view.getUint16(at);
    if (length < 2) throw broken(`a segment at byte ${at} has ${length} bytes`);
    if (at + length > bytes.length) throw broken("it is truncated");
    const segment = bytes.subarray(at + 2, at + length);
    at += length;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      frame = readFrame(marker, segment);
    else if (marker === 0xe1 && isExif(segment)) orientation = readOrientation(segment.subarray(6));
    else if (marker === 0xda) {
      scans++;
      at = endOfScan(bytes, at);
    }
  }
  if (frame === undefined || scans === 0) throw broken("it holds no picture");
  return { ...frame, orientation };
}

function readFrame(marker: number, segment: Uint8Array): Omit<Header, "orientation"> {
  if (segment.length < 6) throw broken("its frame header is cut");
  const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
  const [precision, components] = [segment[0], segment[5]];
  // 0xc0..0xc2 and 0xc9, 0xca: sequential and progressive, Huffman or arithmetic
  const kind = [0xc0, 0xc1, 0xc2, 0xc9, 0xca].includes(marker)
    ? precision !== 8
      ? `${precision}-bit`
      : components === 4
        ? "CMYK"
        : undefined
    : "lossless or hierarchical";
  if (kind !== undefined)
    throw new KerfworkError(
      "UNSUPPORTED_IMAGE",
      `Expected a gray or colour JPEG of 8 bits, got a ${kind} one`,
    );
  return { height: view.getUint16(1), width: view.getUint16(3), components };
}

/** Behind the entropy-coded bytes of a scan, where the next marker stands; in them 0xff is followed by 0 or a restart. */
function endOfScan(bytes: Uint8Array, start: number): number {
  let at = start;
  while (true) {
    at = bytes.indexOf(0xff, at);
    if (at === -1 || at + 1 >= bytes.length) throw broken("it is truncated");
    const next = bytes[at + 1];
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
    at += next === 0xff ? 1 : 2;
  }
}

function isExif(segment: Uint8Array): boolean {
  return segment.length > 6 && String.fromCharCode(...segment.subarray(0, 6)) === "Exif\0\0";
}

function redOf(rgba: Uint8Array): Uint8Array {
  const gray = new Uint8Array(rgba.length / 4);
  for (let i = 0; i < gray.length; i++) gray[i] = rgba[4 * i];
  return gray;
}

function broken(why: string): KerfworkError {
  return new KerfworkError("BROKEN_IMAGE", `Expected a whole JPEG image, got a damaged one: ${why}`);
}
