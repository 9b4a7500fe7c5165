import * as assert from "uvu/assert";
import type { Engine, Pointer } from "../src/engine/memory.ts";

const AROUND = 64;
const MARK = 0xa5;

/** Buffers for kernels, with marked bytes around each. */
export interface Guarded {
  place(bytes: number): Pointer;
  /** Fails when a kernel wrote beside a buffer. */
  check(): void;
}

export function guarded(engine: Engine): Guarded {
  const placed: [Pointer, number][] = [];
  return {
    place(bytes) {
      const at = (engine.alloc(bytes + 2 * AROUND) + AROUND) as Pointer;
      engine.u8((at - AROUND) as Pointer, bytes + 2 * AROUND).fill(MARK);
      placed.push([at, bytes]);
      return at;
    },
    check() {
      for (const [at, bytes] of placed) {
        const before = engine.u8((at - AROUND) as Pointer, AROUND);
        const behind = engine.u8((at + bytes) as Pointer, AROUND);
        for (const byte of [...before, ...behind])
          assert.is(byte, MARK, "the bytes around a buffer are left alone");
      }
    },
  };
}
