import { agePlugin } from "@keepsake/age";
import type { Plugin } from "@keepsake/core";
import * as git from "@keepsake/git";
import { jsonStatePlugin } from "@keepsake/json-state";
import { localFsPlugin } from "@keepsake/local-fs";
import { memdirPlugin } from "@keepsake/memdir";
import * as redaction from "@keepsake/redaction";
import { sqlitePlugin } from "@keepsake/sqlite";
import { zstdPlugin } from "@keepsake/zstd";
import { presetsPlugin } from "./presets.plugin.js";

// Their plugins are being written; as soon as they are exported they are here.
const { gitPlugin } = git as { readonly gitPlugin?: Plugin };
const { redactionPlugin } = redaction as { readonly redactionPlugin?: Plugin };

/** The plugins that come with Keepsake. Each is also a package of its own. */
export const standardPlugins: readonly Plugin[] = [
  sqlitePlugin,
  ...(gitPlugin ? [gitPlugin] : []),
  memdirPlugin,
  jsonStatePlugin,
  zstdPlugin,
  agePlugin,
  localFsPlugin,
  ...(redactionPlugin ? [redactionPlugin] : []),
  presetsPlugin,
];
