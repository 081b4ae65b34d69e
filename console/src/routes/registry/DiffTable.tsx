// Lines of two texts side by side; where the window is narrow, one below the other.
//
// Lines that are the same in both are folded where there are many, and at most `PAGE` rows are drawn until more are asked for.
import { Fragment, useState, type ReactNode } from "react";
import { counted } from "~/ui/number";
import type { Pair } from "./lines";

/** Lines shown around those that differ. */
const AROUND = 3;
const PAGE = 2_000;

export function DiffTable({ lines, label }: { lines: Pair[]; label: string }) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const [shown, setShown] = useState(PAGE);
  const blocks = folded(lines);
  let left = shown;
  return (
    <>
      <table aria-label={label} className="data w-full table-fixed leading-[1.6]">
        <colgroup className="max-md:hidden">
          <col className="w-[3.5rem]" />
          <col />
          <col className="w-[3.5rem]" />
          <col />
        </colgroup>
        <thead className="sr-only">
          <tr>
            <th scope="col">Line of the old version</th>
            <th scope="col">Old version</th>
            <th scope="col">Line of the new version</th>
            <th scope="col">New version</th>
          </tr>
        </thead>
        <tbody>
          {blocks.map((block) => {
            if (left <= 0) return null;
            if (block.folds && !open.has(block.start)) {
              left -= 1;
              return (
                <Fold
                  key={block.start}
                  count={block.rows.length}
                  onOpen={() => setOpen(new Set([...open, block.start]))}
                />
              );
            }
            const rows = block.rows.slice(0, left);
            left -= rows.length;
            return (
              <Fragment key={block.start}>
                {rows.map((pair, index) => (
                  <Row key={block.start + index} pair={pair} />
                ))}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {left <= 0 && (
        <button type="button" className="link mt-2" onClick={() => setShown(shown + PAGE)}>
          Show more
        </button>
      )}
    </>
  );
}

interface Block {
  start: number;
  folds: boolean;
  rows: Pair[];
}

/** Stretches that are shown and stretches that are folded: what is far from any difference. */
function folded(lines: Pair[]): Block[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((each, index) => {
    if (!each.same) near.fill(1, Math.max(0, index - AROUND), index + AROUND + 1);
  });
  const blocks: Block[] = [];
  lines.forEach((pair, index) => {
    const folds = near[index] === 0;
    const last = blocks.at(-1);
    if (last && last.folds === folds) last.rows.push(pair);
    else blocks.push({ start: index, folds, rows: [pair] });
  });
  return blocks.map((block) => ({ ...block, folds: block.folds && block.rows.length > 1 && near.includes(1) }));
}

function Fold({ count, onOpen }: { count: number; onOpen: () => void }) {
  return (
    <tr className="max-md:block">
      <td colSpan={4} className="bg-sunken px-2 py-0.5 max-md:block">
        <button type="button" className="font-sans text-small text-ink-soft hover:text-ink" onClick={onOpen}>
          Show {counted(count, "line")} that {count === 1 ? "is" : "are"} the same
        </button>
      </td>
    </tr>
  );
}

function Row({ pair }: { pair: Pair }) {
  return (
    <tr className="max-md:flex max-md:flex-wrap">
      <Side line={pair.old} word="removed" mark={pair.same ? "" : "−"} look="bg-bad-wash" />
      <Side line={pair.new} word="added" mark={pair.same ? "" : "+"} look="bg-good-wash" again={pair.same} />
    </tr>
  );
}

interface SideProps {
  line: Pair["old"];
  word: string;
  mark: string;
  look: string;
  /** The other side has said it already, where they stand one below the other. */
  again?: boolean;
}

function Side({ line, word, mark, look, again }: SideProps) {
  const ground = line && mark ? look : "";
  // On a phone a side without a line takes no room.
  const narrow = again || !line ? "max-md:hidden" : "max-md:block";
  return (
    <>
      <td className={`pr-2 text-right align-top text-ink-soft select-none ${ground} ${narrow} max-md:w-[3.5rem]`}>
        {line?.number}
      </td>
      <td className={`pr-3 align-top ${ground} ${narrow} max-md:w-[calc(100%-3.5rem)]`}>
        <Text mark={mark} word={word}>
          {line?.text}
        </Text>
      </td>
    </>
  );
}

function Text({ mark, word, children }: { mark: string; word: string; children: ReactNode }) {
  if (children === undefined) return null;
  return (
    <div className="flex gap-1.5">
      <span aria-hidden className="w-2 shrink-0 select-none">
        {mark}
      </span>
      {mark && <span className="sr-only">{word}: </span>}
      <span className="min-w-0 whitespace-pre-wrap wrap-anywhere">{children}</span>
    </div>
  );
}
