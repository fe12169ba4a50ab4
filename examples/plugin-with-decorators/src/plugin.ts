// tsyringe needs this before any decorated class is defined.
import "reflect-metadata";
import { CLOCK, type Clock, definePlugin, eventProvider } from "@keepsake/core";
// eslint-disable-next-line no-restricted-imports -- a container of one's own is a child of tsyringe's global one
import { container } from "tsyringe";
import { z } from "zod";
import { EventJournal } from "./event-journal.js";
import { JOURNAL_CLOCK, JOURNAL_PATH, type JournalPath } from "./tokens.js";

const options = z.strictObject({ file: z.string().min(1) });

/** `use: event-journal` in the configuration: every event as a line of JSON in a file. */
export default definePlugin({
  name: "event-journal",
  api: 1,
  providers: [
    eventProvider("event-journal", {
      options,
      needs: [CLOCK],
      create({ file }, resolver, { baseDir }) {
        // The plugin's own classes find each other here. Keepsake sees none of it: it gets one finished publisher.
        const own = container.createChildContainer();
        own.registerInstance<Clock>(JOURNAL_CLOCK, resolver.get(CLOCK));
        own.registerInstance<JournalPath>(JOURNAL_PATH, { baseDir, file });
        return own.resolve(EventJournal);
      },
    }),
  ],
});
