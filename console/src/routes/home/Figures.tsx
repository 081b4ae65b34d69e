// The figures of this second, between hairlines. Widths are fixed: a digit that comes or goes moves nothing.
import type { Overview } from "../../api/queries";
import { bytes, grouped, rate } from "../../ui/number";
import { Sparkline } from "./Sparkline";

/** The line begins as if so many seconds had passed, and then grows to two minutes. */
const SHORTEST = 30;

interface FiguresProps {
  now: Overview | undefined;
  history: readonly number[];
}

export function Figures({ now, history }: FiguresProps) {
  const peak = Math.max(0, ...history);
  return (
    <dl className="grid grid-cols-2 border-y border-ink/70 lg:grid-cols-[minmax(18rem,2.2fr)_repeat(4,minmax(0,1fr))]">
      <div className="col-span-2 border-b border-rule py-3 lg:col-span-1 lg:border-r lg:border-b-0 lg:pr-6">
        <dt className="label flex justify-between">
          <span>Events per second</span>
          <span className="figures">peak {rate(peak)}</span>
        </dt>
        <dd className="mt-1 flex items-end gap-5">
          <span data-testid="events-per-second" className="figures min-w-[4.5ch] font-serif text-figure leading-none">
            {rate(now?.records_per_second)}
          </span>
          <Sparkline values={history} length={Math.max(SHORTEST, history.length)} className="h-11 min-w-0 flex-1" />
        </dd>
      </div>
      <Figure name="Bytes per second" value={now?.bytes_per_second == null ? "–" : bytes(now.bytes_per_second)} />
      <Figure name="Events kept" value={now ? grouped(now.records) : "–"} />
      <Figure name="On disk" value={now ? bytes(now.bytes) : "–"} />
      <Figure name="Live views" value={now ? grouped(now.views) : "–"} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex flex-col justify-between border-rule py-3 odd:pl-4 even:border-r even:pr-4 max-lg:nth-[n+4]:border-t lg:border-r lg:px-5 lg:last:border-r-0 lg:last:pr-0">
      <dt className="label">{name}</dt>
      <dd className="figures mt-2 text-[1.25rem] leading-none whitespace-nowrap">{value}</dd>
    </div>
  );
}
