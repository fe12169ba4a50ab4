/** How much of everything a memory holds; in each comment what all files come to. */
export const SIZES = {
  /** 30 MB */
  small: {
    notes: 800,
    noteChars: 5_000,
    commits: 60,
    databases: 4,
    rows: 850,
    attachments: 4,
    attachmentBytes: 1_000_000,
  },
  /** 330 MB */
  medium: {
    notes: 4_000,
    noteChars: 6_000,
    commits: 300,
    databases: 4,
    rows: 13_000,
    attachments: 20,
    attachmentBytes: 2_000_000,
  },
  /** 1.2 GB */
  large: {
    notes: 10_000,
    noteChars: 6_000,
    commits: 600,
    databases: 4,
    rows: 50_000,
    attachments: 60,
    attachmentBytes: 3_000_000,
  },
  /** 50,000 small files */
  many: { notes: 50_000, noteChars: 600, commits: 0, databases: 1, rows: 100, attachments: 0, attachmentBytes: 0 },
  /** 40 databases */
  wide: { notes: 200, noteChars: 2_000, commits: 20, databases: 40, rows: 800, attachments: 0, attachmentBytes: 0 },
};
