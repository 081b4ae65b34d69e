// Those who read a subject's topic, and what becomes of them under a new schema.
import type { ReaderImpact } from "~/api/queries";
import { Badge, type Tone } from "~/ui/Badge";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { ConsumerLink } from "../catalogue/Participants";

const EFFECTS: Record<string, { word: string; tone: Tone }> = {
  breaks: { word: "breaks", tone: "bad" },
  may_break: { word: "may break", tone: "warn" },
  none: { word: "goes on", tone: "good" },
  unknown: { word: "not known", tone: "neutral" },
};

export function Impact({ readers, summary }: { readers: readonly ReaderImpact[]; summary: string }) {
  return (
    <section aria-label="Impact" className="mt-6">
      <h2 className="mb-2 text-text font-semibold">Who would notice</h2>
      <p className="mb-3">{summary.charAt(0).toUpperCase() + summary.slice(1)}.</p>
      {readers.length > 0 && (
        <TableFrame label="Readers" columns={READERS} rows={readers} rowKey={(each) => `${each.kind} ${each.name}`} />
      )}
    </section>
  );
}

const READERS: TableColumn<ReaderImpact>[] = [
  {
    title: "Reader",
    width: "34%",
    cell: (each) => (
      <>
        <ConsumerLink consumer={each} />
        <span className="label block">{each.kind}</span>
      </>
    ),
  },
  {
    title: "Effect",
    width: "6.5rem",
    cell: ({ effect }) => <Badge tone={EFFECTS[effect]?.tone}>{EFFECTS[effect]?.word ?? effect}</Badge>,
  },
  { title: "Why", cell: (each) => each.reason },
];
