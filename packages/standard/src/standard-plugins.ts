import agePlugin from "@keepsake/age/plugin";
import type { Plugin } from "@keepsake/core";
import gitPlugin from "@keepsake/git/plugin";
import jsonStatePlugin from "@keepsake/json-state/plugin";
import localFsPlugin from "@keepsake/local-fs/plugin";
import memdirPlugin from "@keepsake/memdir/plugin";
import memoryPlugin from "@keepsake/memory/plugin";
import redactionPlugin from "@keepsake/redaction/plugin";
import replicatedPlugin from "@keepsake/replicated/plugin";
import s3Plugin from "@keepsake/s3/plugin";
import sqlitePlugin from "@keepsake/sqlite/plugin";
import wrappersPlugin from "@keepsake/wrappers/plugin";
import zstdPlugin from "@keepsake/zstd/plugin";
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
