// Sets the limits of a user, a client id, both, or an address.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "~/api/client";
import type { Json } from "~/api/json";
import type { Quota } from "~/api/queries";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextField } from "~/ui/Field";
import { entityInWords, LIMITS } from "./quota";

type Whom = "user" | "client-id" | "both" | "ip";

const WHOM: { whom: Whom; label: string }[] = [
  { whom: "user", label: "A user" },
  { whom: "client-id", label: "A client id" },
  { whom: "both", label: "A client id of a user" },
  { whom: "ip", label: "An address" },
];

export function QuotaDialog({ quota, onClose }: { quota?: Quota; onClose: () => void }) {
  const client = useQueryClient();
  const [whom, setWhom] = useState<Whom>(quota ? whomOf(quota) : "user");
  const [names, setNames] = useState<Record<string, string>>({});
  const [limits, setLimits] = useState<Record<string, string>>(
    Object.fromEntries(Object.entries(quota?.limits ?? {}).map(([key, value]) => [key, `${value}`])),
  );
  const parts = whom === "both" ? ["user", "client-id"] : [whom];
  const shown = LIMITS.filter(({ of }) => (of === "ip") === (whom === "ip"));
  const wrong = (key: string) => {
    const text = (limits[key] ?? "").trim();
    return text !== "" && !(Number(text) > 0) ? "a number above 0" : undefined;
  };
  const save = useMutation({
    mutationFn: () => {
      const entity = quota?.entity ?? parts.map((type) => ({ type, name: names[type] || null }));
      const wish = shown.map(({ key }) => [key, (limits[key] ?? "").trim() === "" ? null : Number(limits[key])]);
      const body: Json = { quotas: [{ entity: entity as Json, limits: Object.fromEntries(wish) as Json }] };
      return request("/api/v1/quotas", { body });
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["quotas"] });
      onClose();
    },
  });
  const ready = shown.every(({ key }) => !wrong(key)) && (quota || shown.some(({ key }) => (limits[key] ?? "") !== ""));
  return (
    <Dialog title={quota ? `The quota of ${entityInWords(quota)}` : "Set a quota"} onClose={onClose}>
      <form
        className="grid grid-cols-2 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) save.mutate();
        }}
      >
        {!quota && (
          <>
            <SelectField
              label="Of"
              className="col-span-2"
              value={whom}
              onChange={(event) => {
                setWhom(event.target.value as Whom);
                save.reset();
              }}
            >
              {WHOM.map((each) => (
                <option key={each.whom} value={each.whom}>
                  {each.label}
                </option>
              ))}
            </SelectField>
            {parts.map((type) => (
              <TextField
                key={type}
                label={type === "user" ? "User" : type === "ip" ? "Address" : "Client id"}
                mono
                className={parts.length === 1 ? "col-span-2" : "max-sm:col-span-2"}
                placeholder="without a name: each that no quota names"
                value={names[type] ?? ""}
                onChange={(event) => {
                  setNames((now) => ({ ...now, [type]: event.target.value }));
                  save.reset();
                }}
              />
            ))}
          </>
        )}
        {shown.map(({ key, label }) => (
          <TextField
            key={key}
            label={label}
            inputMode="decimal"
            className="max-sm:col-span-2"
            placeholder="no limit"
            value={limits[key] ?? ""}
            problem={wrong(key)}
            onChange={(event) => {
              setLimits((now) => ({ ...now, [key]: event.target.value }));
              save.reset();
            }}
          />
        ))}
        {save.isError && (
          <div className="col-span-2">
            <ErrorState error={save.error} title="The quota was not set" />
          </div>
        )}
        <div className="col-span-2 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!ready || save.isPending}>
            {save.isPending ? "Saving …" : "Set"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function whomOf({ entity }: Quota): Whom {
  if (entity.length === 2) return "both";
  return (entity[0]?.type as Whom | undefined) ?? "user";
}
