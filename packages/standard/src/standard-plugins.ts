import { agePlugin } from "@keepsake/age";
import type { Plugin } from "@keepsake/core";
import { gitPlugin } from "@keepsake/git";
import { jsonStatePlugin } from "@keepsake/json-state";
import { localFsPlugin } from "@keepsake/local-fs";
import { memdirPlugin } from "@keepsake/memdir";
import { memoryPlugin } from "@keepsake/memory";
import { redactionPlugin } from "@keepsake/redaction";
import { replicatedPlugin } from "@keepsake/replicated";
import { s3Plugin } from "@keepsake/s3";
import { sqlitePlugin } from "@keepsake/sqlite";
import { wrappersPlugin } from "@keepsake/wrappers";
import { zstdPlugin } from "@keepsake/zstd";
import { presetsPlugin } from "./presets.plugin.js";

/** The plugins that come with Keepsake. Each is also a package of its own. */
export const standardPlugins: readonly Plugin[] = [
  sqlitePlugin,
  gitPlugin,
  memdirPlugin,
  jsonStatePlugin,
  zstdPlugin,
  agePlugin,
  localFsPlugin,
  s3Plugin,
  replicatedPlugin,
  memoryPlugin,
  wrappersPlugin,
  redactionPlugin,
  presetsPlugin,
];
