import { Page } from "../../ui/Page";
export function TopicPage() {
  return <Page title="Topic">Topic</Page>;
}
