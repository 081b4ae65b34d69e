import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;

/** What an administrator of quotas may rely on. */
final class Quotas {
    private final Client client;

    Quotas(Client client) {
        this.client = client;
    }

    /** Quotas are altered and described; what is there outlives a kill of the server. */
    void administer() throws Exception {
        ClientQuotaEntity ann = entity("user", "ann");
        ClientQuotaEntity pair = new ClientQuotaEntity(new HashMap<>(Map.of("user", "ann", "client-id", "app")));
        ClientQuotaEntity every = entity("client-id", null);
        ClientQuotaEntity address = entity("ip", "10.0.0.7");
        try (Admin admin = client.admin()) {
            admin.alterClientQuotas(List.of(
                alteration(ann, Map.of("producer_byte_rate", 1024.0, "request_percentage", 12.5)),
                alteration(pair, Map.of("consumer_byte_rate", 2048.0)),
                alteration(every, Map.of("controller_mutation_rate", 0.5)),
                alteration(address, Map.of("connection_creation_rate", 3.0)))).all().get();
            expect(
                describe(admin, ClientQuotaFilter.all()),
                "[client-id=app user=ann {consumer_byte_rate=2048.0}, client-id=null {controller_mutation_rate=0.5},"
                    + " ip=10.0.0.7 {connection_creation_rate=3.0}, user=ann {producer_byte_rate=1024.0, request_percentage=12.5}]");
            expect(
                describe(admin, ClientQuotaFilter.containsOnly(List.of(ClientQuotaFilterComponent.ofEntity("user", "ann")))),
                "[user=ann {producer_byte_rate=1024.0, request_percentage=12.5}]");
            expect(
                describe(admin, ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofDefaultEntity("client-id")))),
                "[client-id=null {controller_mutation_rate=0.5}]");
            try {
                admin.alterClientQuotas(List.of(alteration(ann, Map.of("producer_byte_rate", 0.5)))).all().get();
                throw new AssertionError("half a byte is a limit");
            } catch (ExecutionException failure) {
                if (!(failure.getCause() instanceof InvalidRequestException)) {
                    throw failure;
                }
            }
            List<ClientQuotaAlteration.Op> gone = List.of(new ClientQuotaAlteration.Op("consumer_byte_rate", null));
            admin.alterClientQuotas(List.of(new ClientQuotaAlteration(pair, gone))).all().get();
        }
        Client.askToKillServer();
        try (Admin admin = client.admin()) {
            expect(
                describe(admin, ClientQuotaFilter.contains(List.of(ClientQuotaFilterComponent.ofEntityType("user")))),
                "[user=ann {producer_byte_rate=1024.0, request_percentage=12.5}]");
        }
        Client.say("{\"quotas\":4}");
    }

    private static ClientQuotaEntity entity(String type, String name) {
        Map<String, String> entries = new HashMap<>();
        entries.put(type, name);
        return new ClientQuotaEntity(entries);
    }

    private static ClientQuotaAlteration alteration(ClientQuotaEntity entity, Map<String, Double> limits) {
        Collection<ClientQuotaAlteration.Op> operations = new ArrayList<>();
        limits.forEach((key, value) -> operations.add(new ClientQuotaAlteration.Op(key, value)));
        return new ClientQuotaAlteration(entity, operations);
    }

    private static String describe(Admin admin, ClientQuotaFilter filter) throws Exception {
        TreeSet<String> found = new TreeSet<>();
        admin.describeClientQuotas(filter).entities().get().forEach((entity, limits) -> {
            List<String> parts = new ArrayList<>();
            entity.entries().forEach((type, name) -> parts.add(type + "=" + name));
            parts.sort(null);
            found.add(String.join(" ", parts) + " " + new java.util.TreeMap<>(limits));
        });
        return found.toString();
    }

    private static void expect(String found, String expected) {
        if (!found.equals(expected)) {
            throw new AssertionError("quotas " + found + " instead of " + expected);
        }
    }
}
