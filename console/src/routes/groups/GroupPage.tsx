// One group: how its lag went, where it stands in each partition, who its members are; and its offsets, to be reset.
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "~/api/problem";
import { groupQuery, type GroupView } from "~/api/queries";
import { Button } from "~/ui/Button";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted, grouped } from "~/ui/number";
import { Page } from "~/ui/Page";
import { DeleteDialog } from "./DeleteDialog";
import { GroupState } from "./GroupState";
import { Lag } from "./Lag";
import { Members } from "./Members";
import { Offsets } from "./Offsets";
import { ResetDialog } from "./ResetDialog";

const route = getRouteApi("/groups/$group");

export function GroupPage() {
  const { group: id } = route.useParams();
  const group = useQuery(groupQuery(id));
  const [open, setOpen] = useState<"reset" | "delete" | null>(null);
  const close = () => setOpen(null);
  return (
    <Page
      title={id}
      mono
      over={
        <Link to="/groups" className="link">
          Groups
        </Link>
      }
      summary={group.data ? <Summary group={group.data} /> : "\u00a0"}
      actions={
        group.data && (
          <>
            <GroupState state={group.data.state} />
            <Button onClick={() => setOpen("reset")} disabled={group.data.offsets.length === 0}>
              Reset offsets
            </Button>
            <Button onClick={() => setOpen("delete")}>Delete</Button>
          </>
        )
      }
    >
      {group.data ? (
        <>
          <Lag group={id} />
          <Offsets group={group.data} />
          <Members group={group.data} />
          {open === "reset" && <ResetDialog group={group.data} onClose={close} />}
          {open === "delete" && <DeleteDialog group={group.data} onClose={close} />}
        </>
      ) : group.isPending ? (
        <Loading what="Reading the group …" />
      ) : (
        <ErrorState
          error={group.error}
          title={
            group.error instanceof Problem && group.error.status === 404
              ? "There is no such group"
              : "This group cannot be shown"
          }
          onRetry={() => void group.refetch()}
        />
      )}
    </Page>
  );
}

function Summary({ group }: { group: GroupView }) {
  const lag = group.offsets.reduce((sum, each) => sum + BigInt(each.lag ?? 0), 0n);
  const topics = new Set(group.offsets.map((each) => each.topic)).size;
  const facts = [
    counted(group.members.length, "member"),
    ...(group.protocol ? [`assignor ${group.protocol}`] : []),
    counted(topics, "topic"),
    `${grouped(lag)} behind`,
  ];
  return <span className="figures">{facts.join(" · ")}</span>;
}
