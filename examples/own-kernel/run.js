import { defineKernel, taskMgr } from "kerfwork";

const smooth = defineKernel({
  module: new URL("./build/smooth.wasm", import.meta.url),
  export: "smooth",
  returns: "Float64Array",
});

const values = Float64Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 100) + (i % 7) / 10);
const task = taskMgr.runProcess(smooth, [values, 9, 200], { key: "smooth" });
task.changed.connect(({ status, progress }) => console.log(status, `${Math.round(progress * 100)} %`));
const smoothed = await task.promise;
console.log(`${smoothed.length} values, the roughest step is now ${roughest(smoothed).toFixed(4)}, was ${roughest(values).toFixed(4)}`);

function roughest(list) {
  let worst = 0;
  for (let i = 1; i < list.length; i++) worst = Math.max(worst, Math.abs(list[i] - list[i - 1]));
  return worst;
}
