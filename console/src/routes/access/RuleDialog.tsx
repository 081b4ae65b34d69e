// Adds a rule: who, what, with which resource.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "~/api/client";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { ErrorState } from "~/ui/ErrorState";
import { SelectField, TextField } from "~/ui/Field";
import { OPERATIONS, RESOURCES, type ResourceType } from "./operations";

export function RuleDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [rule, setRule] = useState({
    principal: "",
    permission: "allow",
    operation: "read",
    resource_type: "topic" as ResourceType,
    pattern_type: "literal",
    name: "",
    host: "*",
  });
  const isCluster = rule.resource_type === "cluster";
  const add = useMutation({
    mutationFn: () =>
      request("/api/v1/acls", {
        body: { acls: [isCluster ? { ...rule, name: "kafka-cluster", pattern_type: "literal" } : rule] },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["acls"] });
      onClose();
    },
  });
  const change = (next: Partial<typeof rule>) => {
    setRule((now) => {
      const changed = { ...now, ...next };
      const operations = OPERATIONS[changed.resource_type];
      return operations.includes(changed.operation) ? changed : { ...changed, operation: operations[0]! };
    });
    add.reset();
  };
  const ready = rule.principal.trim() !== "" && (isCluster || rule.name !== "");
  return (
    <Dialog title="Add a rule" onClose={onClose}>
      <form
        className="grid grid-cols-2 gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) add.mutate();
        }}
      >
        <TextField
          label="Principal"
          mono
          className="col-span-2"
          placeholder="User:alice; User:* is everyone"
          value={rule.principal}
          onChange={(event) => change({ principal: event.target.value })}
        />
        <SelectField
          label="May it?"
          value={rule.permission}
          onChange={(event) => change({ permission: event.target.value })}
        >
          <option value="allow">It may</option>
          <option value="deny">It may not, whatever else allows it</option>
        </SelectField>
        <SelectField
          label="Operation"
          value={rule.operation}
          onChange={(event) => change({ operation: event.target.value })}
        >
          {OPERATIONS[rule.resource_type].map((each) => (
            <option key={each} value={each}>
              {each === "all" ? "everything" : each.replaceAll("_", " ")}
            </option>
          ))}
        </SelectField>
        <SelectField
          label="With"
          className={isCluster ? "col-span-2" : ""}
          value={rule.resource_type}
          onChange={(event) => change({ resource_type: event.target.value as ResourceType })}
        >
          {RESOURCES.map(({ type, label }) => (
            <option key={type} value={type}>
              {label}
            </option>
          ))}
        </SelectField>
        {!isCluster && (
          <>
            <SelectField
              label="Named"
              value={rule.pattern_type}
              onChange={(event) => change({ pattern_type: event.target.value })}
            >
              <option value="literal">Exactly</option>
              <option value="prefixed">With this beginning</option>
            </SelectField>
            <TextField
              label="Name"
              mono
              className="col-span-2"
              placeholder={rule.pattern_type === "prefixed" ? "store." : "store.orders; * is every one"}
              value={rule.name}
              onChange={(event) => change({ name: event.target.value })}
            />
          </>
        )}
        <TextField
          label="From the address"
          mono
          className="col-span-2"
          placeholder="* is every one"
          value={rule.host}
          onChange={(event) => change({ host: event.target.value })}
        />
        {add.isError && (
          <div className="col-span-2">
            <ErrorState error={add.error} title="The rule was not added" />
          </div>
        )}
        <div className="col-span-2 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" disabled={!ready || add.isPending}>
            {add.isPending ? "Adding …" : "Add"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
