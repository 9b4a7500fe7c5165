export {
  checkJobOptions,
  type Drawing,
  type DrawingOptions,
  type Job,
  type JobOptions,
  type JobReport,
  makeDrawing,
  makeProgram,
} from "./program.ts";
