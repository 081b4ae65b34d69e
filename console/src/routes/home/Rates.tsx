// Which topics move, and whether the pipelines keep up with them. Ordered by name, so that rows stay in place.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { PipelineActivity, TopicActivity } from "../../api/queries";
import { EmptyState } from "../../ui/EmptyState";
import { Num } from "../../ui/Num";
import { rate } from "../../ui/number";
import { Panel } from "../../ui/Panel";

/** More than this are on their own page. */
const SHOWN = 8;

export function TopicRates({ rates }: { rates: TopicActivity[] | undefined }) {
  return (
    <Panel
      title="Topics"
      actions={
        <Link to="/topics" className="link">
          All topics
        </Link>
      }
    >
      {rates?.length === 0 ? (
        <EmptyState title="No topics yet.">
          <p>A topic is made when the first event is sent to it: try the first command below.</p>
        </EmptyState>
      ) : (
        <RateTable
          label="Topics by their rate"
          head={["Topic", "Events", "Per second"]}
          rows={rates && busiest(rates, (each) => each.records_per_second ?? 0)}
          row={(each) => [
            <Link to="/topics/$topic" params={{ topic: each.name }} className="data link">
              {each.name}
            </Link>,
            <Num value={each.records} />,
            <Num value={each.records_per_second} format={(value) => rate(Number(value))} width={6} />,
          ]}
        />
      )}
    </Panel>
  );
}

export function PipelineRates({ rates }: { rates: PipelineActivity[] | undefined }) {
  return (
    <Panel
      title="Pipelines"
      actions={
        <Link to="/pipelines" className="link">
          All pipelines
        </Link>
      }
    >
      {rates?.length === 0 ? (
        <EmptyState title="No pipelines yet.">
          <p>
            A <code className="data">.sql</code> file in a team's <code className="data">pipelines</code> folder becomes
            a live view as soon as it is saved.
          </p>
        </EmptyState>
      ) : (
        <RateTable
          label="Pipelines by their lag"
          head={["Pipeline", "Lag", "Per second"]}
          rows={rates && busiest(rates, (each) => Number(each.lag))}
          row={(each) => [
            <Link to="/pipelines/$pipeline" params={{ pipeline: each.name }} className="data link">
              {each.name}
            </Link>,
            <Num value={each.lag} />,
            <Num value={each.rate} format={(value) => rate(Number(value))} width={6} />,
          ]}
        />
      )}
    </Panel>
  );
}

/** The few that matter most, by name. */
function busiest<Each extends { name: string }>(all: Each[], weight: (each: Each) => number): Each[] {
  return [...all]
    .sort((a, b) => weight(b) - weight(a) || a.name.localeCompare(b.name))
    .slice(0, SHOWN)
    .sort((a, b) => a.name.localeCompare(b.name));
}

interface RateTableProps<Each> {
  label: string;
  head: [string, string, string];
  rows: Each[] | undefined;
  row: (each: Each) => [ReactNode, ReactNode, ReactNode];
}

function RateTable<Each extends { name: string }>({ label, head, rows, row }: RateTableProps<Each>) {
  return (
    <table className="w-full table-fixed" aria-label={label}>
      <thead>
        <tr className="label border-b border-rule-strong/60">
          <th scope="col" className="py-1.5 text-left font-medium">
            {head[0]}
          </th>
          <th scope="col" className="w-16 py-1.5 text-right font-medium sm:w-24">
            {head[1]}
          </th>
          <th scope="col" className="w-[4.75rem] py-1.5 text-right font-medium sm:w-24">
            {head[2]}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows?.map((each) => {
          const [name, ...numbers] = row(each);
          return (
            <tr key={each.name} className="border-b border-rule">
              <td className="py-1.5 break-words">{name}</td>
              {numbers.map((number, index) => (
                <td key={index} className="py-1.5 text-right">
                  {number}
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
