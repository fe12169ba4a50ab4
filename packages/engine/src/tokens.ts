import type { Clock, Logger } from "@keepsake/core";
import type { InjectionToken } from "tsyringe";
import type { Workspace } from "./workspace.js";

export const WORKSPACE: InjectionToken<Workspace> = Symbol("keepsake/workspace");
export const ENGINE_LOGGER: InjectionToken<Logger> = Symbol("keepsake/engine-logger");
export const ENGINE_CLOCK: InjectionToken<Clock> = Symbol("keepsake/engine-clock");
