// The plainest workerpool worker: what a task costs without a task manager.
import workerpool from "workerpool";

workerpool.worker({ noop: () => 0 });
