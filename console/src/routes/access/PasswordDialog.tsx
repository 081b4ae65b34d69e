// Creates a user, or gives one that there is another password.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, request } from "~/api/client";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { TextField } from "~/ui/Field";

/** The fewest bytes that the server takes. */
const SHORTEST = 8;

export function PasswordDialog({ user, onClose }: { user?: string; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(user ?? "");
  const [password, setPassword] = useState("");
  const save = useMutation({
    mutationFn: () =>
      user === undefined
        ? request("/api/v1/users", { body: { name, password } })
        : request(path("/api/v1/users/{user}/password", { user }), { body: { password } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["users"] });
      onClose();
    },
  });
  const short = password !== "" && new TextEncoder().encode(password).length < SHORTEST;
  const ready = name !== "" && password !== "" && !short;
  return (
    <Dialog title={user === undefined ? "Create a user" : `A new password for ${user}`} onClose={onClose}>
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) save.mutate();
        }}
      >
        {user === undefined && (
          <TextField
            label="Name"
            mono
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              save.reset();
            }}
          />
        )}
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          value={password}
          problem={short ? `at least ${SHORTEST} bytes` : undefined}
          onChange={(event) => {
            setPassword(event.target.value);
            save.reset();
          }}
        />
        <p className="text-ink-soft">
          {user === undefined
            ? "Where rules are gone by, a new user may do nothing until one allows it."
            : "Connections that are open stay; the next log-in needs the new password."}
        </p>
        {save.isError && <ErrorState error={save.error} title="Nothing was changed" />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!ready || save.isPending}>
            {save.isPending ? "Saving …" : user === undefined ? "Create" : "Set the password"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
