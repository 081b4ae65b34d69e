// Where a pipeline stands in each partition of its topics.
import type { PipelineView } from "~/api/queries";
import { formatNumber } from "~/charts/decimal";
import { Num } from "~/ui/Num";
import { Panel } from "~/ui/Panel";
import { Time } from "~/ui/Time";
import { List, ListCell, ListHead, ListRow, NameCell } from "./List";

export function Partitions({ pipeline }: { pipeline: PipelineView }) {
  if (pipeline.partitions.length === 0) {
    return (
      <Panel title="Partitions">
        <p className="text-ink-soft">None of its own: it is computed from other views whenever it is read.</p>
      </Panel>
    );
  }
  const isTimed = pipeline.partitions.some((partition) => partition.watermark != null);
  return (
    <Panel title="Partitions">
      <List label="Partitions">
        <ListHead>
          <ListCell head>Partition</ListCell>
          <ListCell head>Taken in</ListCell>
          <ListCell head number>
            Next offset
          </ListCell>
          <ListCell head number>
            End
          </ListCell>
          <ListCell head number from="md">
            Commits
          </ListCell>
          {isTimed && <ListCell head>Watermark</ListCell>}
        </ListHead>
        <tbody>
          {pipeline.partitions.map((each) => (
            <ListRow key={`${each.topic}/${each.partition}`}>
              <NameCell>
                {each.topic}/{each.partition}
              </NameCell>
              <ListCell>
                <Taken next={each.next} end={each.end} />
              </ListCell>
              <ListCell number label="next">
                <Num value={each.next} />
              </ListCell>
              <ListCell number label="end">
                <Num value={each.end} />
              </ListCell>
              <ListCell number from="md">
                <Num value={each.epoch} />
              </ListCell>
              {isTimed && (
                <ListCell label="watermark">
                  <Time at={each.watermark} />
                </ListCell>
              )}
            </ListRow>
          ))}
        </tbody>
      </List>
    </Panel>
  );
}

function Taken({ next, end }: { next: string; end: string }) {
  const left = BigInt(end) - BigInt(next);
  const part = end === "0" ? 100 : Number((BigInt(next) * 100n) / BigInt(end));
  return (
    <span className="inline-flex items-center gap-2">
      <progress className="progress" max={100} value={part} aria-label="Taken in" />
      <span className="label figures whitespace-nowrap">{left <= 0n ? "all" : `${formatNumber(left)} left`}</span>
    </span>
  );
}
