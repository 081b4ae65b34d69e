// Those who read the topic that a subject describes: of an event that is declared all that are known, else its groups.
import { useQuery } from "@tanstack/react-query";
import { eventQuery, topicGroupsQuery, type Consumer } from "~/api/queries";
import { EmptyState } from "~/ui/EmptyState";
import { Loading } from "~/ui/Loading";
import { Panel } from "~/ui/Panel";
import { ReadBy } from "../catalogue/Participants";

/** The topic whose values a subject is named after; none of other contexts and of keys. */
function topicOf(subject: string): string | undefined {
  return /^([^:].*)-value$/.exec(subject)?.[1];
}

export function Readers({ subject }: { subject: string }) {
  const topic = topicOf(subject);
  if (topic === undefined) {
    return <EmptyState title="This subject is not that of a topic's values: who reads it is not known." />;
  }
  return <OfTopic topic={topic} />;
}

function OfTopic({ topic }: { topic: string }) {
  const event = useQuery({ ...eventQuery(topic), retry: false });
  const groups = useQuery({ ...topicGroupsQuery(topic), retry: false, enabled: event.isError });
  if (event.isPending || (event.isError && groups.isPending)) return <Loading what="Reading who reads it …" />;
  const ofGroups = (groups.data ?? []).map(({ id, state, members, lag }): Consumer => ({
    kind: "group",
    name: id,
    state,
    members,
    lag,
  }));
  return (
    <Panel title="Read by" note={`readers of topic ${topic}`} className="max-w-[40rem]">
      <ReadBy consumers={event.data?.read_by ?? ofGroups} />
    </Panel>
  );
}
