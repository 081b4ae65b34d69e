// Changes one setting of a topic, or gives it back to its default.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { path, request } from "../../api/client";
import type { TopicView } from "../../api/queries";
import { Button } from "../../ui/Button";
import { ErrorState } from "../../ui/ErrorState";
import { SelectField, TextField } from "../../ui/Field";
import { SETTINGS, type SettingName } from "./settingNames";

export function ChangeSetting({ topic }: { topic: TopicView }) {
  const client = useQueryClient();
  const [name, setName] = useState<SettingName>("retention");
  const [value, setValue] = useState<string>(topic.config.retention ?? "");
  const change = useMutation({
    mutationFn: (to: string | null) =>
      request<TopicView>(path("/api/v1/topics/{topic}", { topic: topic.name }), {
        method: "PATCH",
        body: { config: { [name]: to } },
      }),
    onSuccess: (changed) => {
      client.setQueryData(["topics", topic.name], changed);
      setValue(changed.config[name] ?? "");
    },
  });
  const now = topic.config[name];
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (value.trim() !== "") change.mutate(value.trim());
      }}
    >
      <div className="flex flex-wrap items-end gap-x-3 gap-y-2.5">
        <SelectField
          label="Setting"
          className="w-48 max-sm:w-full"
          value={name}
          onChange={(event) => {
            const chosen = event.target.value as SettingName;
            setName(chosen);
            setValue(topic.config[chosen] ?? "");
            change.reset();
          }}
        >
          {SETTINGS.map((each) => (
            <option key={each.name} value={each.name}>
              {each.name}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Value"
          mono
          className="min-w-32 flex-1"
          placeholder={`such as ${SETTINGS.find((each) => each.name === name)?.example ?? ""}`}
          value={value}
          onChange={(event) => {
            setValue(event.target.value);
            change.reset();
          }}
        />
        <Button type="submit" disabled={value.trim() === "" || value.trim() === now || change.isPending}>
          Set
        </Button>
        <Button disabled={now == null || change.isPending} onClick={() => change.mutate(null)}>
          Default
        </Button>
      </div>
      {change.isError && <ErrorState error={change.error} title="The setting was not changed" />}
      {change.isSuccess && (
        <p role="status" className="font-medium text-good">
          {name} is {change.data.config[name] ?? "the server's default"} now.
        </p>
      )}
    </form>
  );
}
