// The users: create one, give one a password, delete one.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { usersQuery, type User } from "~/api/queries";
import { Button } from "~/ui/Button";
import { EmptyState } from "~/ui/EmptyState";
import { ErrorState } from "~/ui/ErrorState";
import { Loading } from "~/ui/Loading";
import { counted } from "~/ui/number";
import { Panel } from "~/ui/Panel";
import { TableFrame, type TableColumn } from "~/ui/Table";
import { DeleteUserDialog } from "./DeleteUserDialog";
import { PasswordDialog } from "./PasswordDialog";

type Open = { what: "create" } | { what: "password" | "delete"; user: string };

export function Users({ q }: { q: string }) {
  const users = useQuery(usersQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  if (users.isPending) return <Loading what="Reading the users …" />;
  if (users.data === undefined) {
    return <ErrorState error={users.error} title="The users cannot be listed" onRetry={() => void users.refetch()} />;
  }
  const shown = users.data.filter((each) => each.name.toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <Panel
        title="Users"
        note={users.data.length > 0 && counted(users.data.length, "user")}
        actions={
          <Button kind="primary" small onClick={() => setOpen({ what: "create" })}>
            Create a user
          </Button>
        }
      >
        {users.data.length === 0 ? (
          <EmptyState title="No users yet.">
            <p>
              Clients of Kafka log in as a user where a listener asks for it; HTTP takes the same name and password.
              Whether rules are gone by is said by the setting <code className="data">access</code>.
            </p>
          </EmptyState>
        ) : shown.length === 0 ? (
          <EmptyState title="No user is called so." />
        ) : (
          <TableFrame label="Users" columns={columns(setOpen)} rows={shown} rowKey={(each) => each.name} />
        )}
      </Panel>
      {open?.what === "create" && <PasswordDialog onClose={close} />}
      {open?.what === "password" && <PasswordDialog user={open.user} onClose={close} />}
      {open?.what === "delete" && <DeleteUserDialog user={open.user} onClose={close} />}
    </>
  );
}

function columns(onOpen: (open: Open) => void): TableColumn<User>[] {
  return [
    { title: "User", cell: (each) => <span className="data break-all">{each.name}</span> },
    {
      title: "Logs in by",
      width: "40%",
      narrow: "hide",
      cell: (each) => each.mechanisms.map(({ mechanism }) => mechanism).join(", "),
    },
    {
      title: "Rules",
      width: "5rem",
      narrow: "hide",
      cell: (each) => (
        <Link to="/access" search={{ tab: "rules", q: `User:${each.name}` }} className="link">
          Rules
        </Link>
      ),
    },
    {
      title: "Change",
      width: "11.5rem",
      align: "right",
      cell: (each) => (
        <span className="inline-flex flex-wrap justify-end gap-1.5">
          <Button
            small
            aria-label={`Set the password of ${each.name}`}
            onClick={() => onOpen({ what: "password", user: each.name })}
          >
            Password
          </Button>
          <Button
            small
            aria-label={`Delete user ${each.name}`}
            onClick={() => onOpen({ what: "delete", user: each.name })}
          >
            Delete
          </Button>
        </span>
      ),
    },
  ];
}
